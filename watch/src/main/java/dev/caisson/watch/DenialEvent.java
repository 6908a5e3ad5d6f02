package dev.caisson.watch;

import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.SeccompData;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// A call that a thread has left without having entered it, as [DenialProgram] tells of it.
///
/// @param process that made it, in the numbers of the host
/// @param thread of the process, the same
/// @param result what the caller got, an error as a negative number
/// @param name of the thread, which it chooses itself
/// @param call what the filter was asked
/// @param restored whether the result is what the register held before the call, as the kernel leaves it where
///     it sends SIGSYS
record DenialEvent(int process, int thread, long result, String name, SeccompData call, boolean restored) {
    static final int THREAD = 0;
    static final int RESULT = 8;
    static final int NAME = 16;
    static final int NAME_SIZE = 16;

    /// The instruction that the call was made with, where it could be read.
    static final int CODE = NAME + NAME_SIZE;

    static final int CODE_SIZE = 2;
    static final int REGISTERS = CODE + Long.BYTES;

    private static final int X86_32_BIT_CODE = 0x23;

    /// `int $0x80`, by which a 64-bit program enters as a 32-bit one; the registers do not tell.
    static final int X86_32_BIT_ENTRY = 0x80cd;

    private static final int ARM_32_BIT_MODE = 0x10;

    /// The registers of a thread in a call, `struct pt_regs` of an architecture.
    ///
    /// @param number of the call, 32 bits
    /// @param pointer of the instruction after the call
    /// @param mode by which a 32-bit program is known: `cs`, or `pstate`
    record Registers(
            boolean isX86, int size, int number, int pointer, int mode, List<Integer> arguments, List<Integer> narrow) {
        private static final List<Integer> X86_64_ARGUMENTS = List.of(112, 104, 96, 56, 72, 64);
        private static final List<Integer> X86_ARGUMENTS = List.of(40, 88, 96, 104, 112, 32);
        private static final List<Integer> AARCH64_ARGUMENTS = List.of(272, 8, 16, 24, 32, 40);

        static Registers ofHost() {
            return of(System.getProperty("os.arch"));
        }

        static Registers of(String machine) {
            return switch (machine) {
                case "amd64" -> new Registers(true, 168, 120, 128, 136, X86_64_ARGUMENTS, X86_ARGUMENTS);
                case "aarch64" -> new Registers(false, 288, 280, 256, 264, AARCH64_ARGUMENTS, AARCH64_ARGUMENTS);
                default ->
                    throw new WatchException(
                            "WATCH_UNSUPPORTED", "denied calls are watched on x86_64 and aarch64 only");
            };
        }

        int eventSize() {
            return REGISTERS + size;
        }
    }

    static DenialEvent of(byte[] event, Registers registers) {
        ByteBuffer bytes = ByteBuffer.wrap(event).order(ByteOrder.nativeOrder());
        long thread = bytes.getLong(THREAD);
        int end = NAME;
        while (end < NAME + NAME_SIZE && event[end] != 0) {
            end++;
        }
        String name = new String(event, NAME, end - NAME, StandardCharsets.UTF_8);
        SeccompData call = call(bytes, registers);
        long result = bytes.getLong(RESULT);
        long before = registers.isX86() ? call.number() : call.a0();
        return new DenialEvent((int) (thread >>> 32), (int) thread, result, name, call, result == before);
    }

    private static SeccompData call(ByteBuffer event, Registers registers) {
        long mode = event.getLong(REGISTERS + registers.mode());
        if (registers.isX86()) {
            boolean narrow = (mode & 0xffff) == X86_32_BIT_CODE || (event.getShort(CODE) & 0xffff) == X86_32_BIT_ENTRY;
            return narrow
                    ? call(event, registers, Architecture.X86, registers.narrow())
                    : call(event, registers, Architecture.X86_64, registers.arguments());
        }
        return (mode & ARM_32_BIT_MODE) != 0
                ? call(event, registers, Architecture.ARM, registers.narrow())
                : call(event, registers, Architecture.AARCH64, registers.arguments());
    }

    private static SeccompData call(ByteBuffer event, Registers registers, Architecture abi, List<Integer> arguments) {
        long[] values = arguments.stream()
                .mapToLong(register -> event.getLong(REGISTERS + register))
                .toArray();
        return new SeccompData(
                event.getInt(REGISTERS + registers.number()),
                abi.auditValue(),
                event.getLong(REGISTERS + registers.pointer()),
                values[0],
                values[1],
                values[2],
                values[3],
                values[4],
                values[5]);
    }
}
