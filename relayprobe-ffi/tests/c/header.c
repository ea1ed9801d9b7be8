/* The header alone, in whatever language it is compiled as. */
#include <relayprobe.h>
#include <relayprobe.h>

#include <stdio.h>

int main(void)
{
    struct relayprobe_output output;
    output.struct_size = sizeof(relayprobe_output);
    if (relayprobe_abi_version() != RELAYPROBE_ABI_VERSION || output.struct_size < 8)
        return 1;
    puts(relayprobe_version());
    return 0;
}
