package dev.caisson.seccomp;

/// The input of a filter: `struct seccomp_data`, seccomp(2). The arguments are whole registers.
/// @param number as the program gave it, with X32's bit
/// @param arch an `AUDIT_ARCH_…`
public record SeccompData(
        int number, int arch, long instructionPointer, long a0, long a1, long a2, long a3, long a4, long a5) {
    /// A call that enters by an ABI; X32's bit is added.
    public static SeccompData of(Architecture abi, int number, long... arguments) {
        int entered = abi == Architecture.X32 ? number | Architecture.X32_BIT : number;
        long[] all = java.util.Arrays.copyOf(arguments, 6);
        return new SeccompData(entered, abi.auditValue(), 0, all[0], all[1], all[2], all[3], all[4], all[5]);
    }

    public long argument(int index) {
        return switch (index) {
            case 0 -> a0;
            case 1 -> a1;
            case 2 -> a2;
            case 3 -> a3;
            case 4 -> a4;
            case 5 -> a5;
            default -> throw new IndexOutOfBoundsException(index);
        };
    }
}
