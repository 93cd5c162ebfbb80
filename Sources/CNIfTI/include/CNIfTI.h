// libniftiio, from Debian's libnifti-dev.
#include <nifti/nifti2_io.h>
