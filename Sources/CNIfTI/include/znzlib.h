// libnifti's headers include <znzlib.h> bare; Debian keeps it in nifti/.
#include <nifti/znzlib.h>
