// libnifti's headers include <nifti1.h> bare; Debian keeps it in nifti/.
#include <nifti/nifti1.h>
