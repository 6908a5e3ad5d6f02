package dev.caisson.watch;

import dev.caisson.linux.Fd;
import dev.caisson.seccomp.Architecture;
import java.util.OptionalInt;

/// Assembles the two eBPF programs of the recorder, bpf(2): at the raw tracepoint sys_enter one that counts the calls
/// of one pid namespace by number, at sys_exit one that counts those that ended in an error. A filter is asked before
/// sys_enter, so a call that ends and never began was denied.
///
/// Both programs have one array: a counter per number, and behind them the recorder's state. The programs themselves
/// may be used under the MIT licence or the GPL: a helper that they need is for such programs alone.
final class RecorderProgram extends EbpfAssembler {
    /// Numbers below this are counted; no architecture has one above, but for private ones of ARM.
    static final int NUMBERS = 1024;

    /// The slot that holds 0 until the program has been started, and 1 from then on.
    static final int STATE = NUMBERS;

    /// The slot that counts calls by another ABI than the native one.
    static final int FOREIGN = NUMBERS + 1;

    static final int SLOTS = NUMBERS + 2;

    /// Offsets in the frame of a slot's number and of what was read.
    private static final int SLOT = -4;

    private static final int READ = -24;

    private static final int PROBE_READ_USER = 112;

    /// Offsets in the saved registers, `struct pt_regs` of an architecture.
    /// @param number of the call, 32 bits
    /// @param mode by which a 32-bit program is known: `cs`, or `pstate`
    /// @param pointer of the instruction behind the call, where a 64-bit program can make a 32-bit one too
    record Registers(int number, int mode, int mask, int foreign, int execveat, OptionalInt pointer) {}

    static final Registers X86_64 = new Registers(120, 136, 0xffff, 0x23, 322, OptionalInt.of(128));
    static final Registers AARCH64 = new Registers(280, 264, 0x10, 0x10, 281, OptionalInt.empty());

    private final Registers registers;

    private RecorderProgram(Registers registers) {
        this.registers = registers;
    }

    /// @throws WatchException RECORDER_UNSUPPORTED
    static Registers ofMachine() {
        return of(Architecture.host());
    }

    static Registers of(Architecture machine) {
        return switch (machine) {
            case X86_64 -> X86_64;
            case AARCH64 -> AARCH64;
            case X86, X32, ARM, RISCV64, S390X, PPC64LE, LOONGARCH64 ->
                throw new WatchException(
                        "RECORDER_UNSUPPORTED",
                        "calls are recorded by eBPF on x86_64 and aarch64 only; here a program that Caisson starts "
                                + "can be recorded, 'caisson seccomp record --recorder notify -- run …'");
        };
    }

    /// Counts what enters, but waits for the execveat by which the program is started.
    /// @param array the map of counters
    /// @param skipsFirst whether process 1 of the namespace is an init of ours, which is no part of the workload
    static byte[] enter(Registers registers, Fd array, PidNamespace namespace, boolean skipsFirst) {
        return enter(registers, array.number(), namespace, skipsFirst);
    }

    static byte[] enter(Registers registers, int array, PidNamespace namespace, boolean skipsFirst) {
        var program = new RecorderProgram(registers);
        program.move(6, 1);
        program.load(7, 6, 0); // registers
        program.load(8, 6, 8); // number
        program.inNamespace(namespace);
        program.slot(array, STATE, SLOT);
        program.load(1, 0, 0);
        program.jumpNotEqual(1, 1, "waiting");
        program.skipFirst(skipsFirst);
        program.count(array);
        program.label("waiting");
        program.jumpNotEqual(8, program.registers.execveat(), "end");
        program.store(0, 0, 1);
        program.end();
        return program.assemble();
    }

    /// Counts what leaves with an error.
    /// @param state the map whose state counts
    static byte[] exit(Registers registers, Fd array, Fd state, PidNamespace namespace, boolean skipsFirst) {
        return exit(registers, array.number(), state.number(), namespace, skipsFirst);
    }

    static byte[] exit(Registers registers, int array, int state, PidNamespace namespace, boolean skipsFirst) {
        var program = new RecorderProgram(registers);
        program.move(6, 1);
        program.load(7, 6, 0); // registers
        program.load(1, 6, 8); // result
        program.jumpGreater(1, -1, "end");
        program.inNamespace(namespace);
        program.slot(state, STATE, SLOT);
        program.load(1, 0, 0);
        program.jumpNotEqual(1, 1, "end");
        program.skipFirst(skipsFirst);
        program.read(program.registers.number());
        program.loadWord(8, FRAME, READ);
        program.count(array);
        program.end();
        return program.assemble();
    }

    private void skipFirst(boolean skips) {
        if (skips) {
            loadWord(1, FRAME, -12); // the process's number in its namespace
            jumpEqual(1, 1, "end");
        }
    }

    /// Counts the number in register 8, or a foreign entry.
    private void count(int array) {
        read(registers.mode());
        load(1, FRAME, READ);
        and(1, registers.mask());
        if (registers.pointer().isPresent()) {
            jumpEqual(1, registers.foreign(), "foreign");
            readInstruction(registers.pointer().getAsInt());
            jumpNotEqual(1, DenialEvent.X86_32_BIT_ENTRY, "native");
        } else {
            jumpNotEqual(1, registers.foreign(), "native");
        }
        label("foreign");
        constant(8, FOREIGN);
        jump("known");
        label("native");
        jumpNotBelow(8, NUMBERS, "end");
        label("known");
        storeWord(FRAME, SLOT, 8);
        slotOfFrame(array, SLOT);
        increment();
        jump("end");
    }

    /// The two bytes in front of the address that a register holds, into register 1; 0 where they cannot be read.
    private void readInstruction(int pointer) {
        read(pointer);
        load(3, FRAME, READ);
        addConstant(3, -DenialEvent.CODE_SIZE);
        store(FRAME, READ, 0);
        address(1, READ);
        constant(2, DenialEvent.CODE_SIZE);
        call(PROBE_READ_USER);
        load(1, FRAME, READ);
    }

    /// Eight bytes of the saved registers into the frame.
    private void read(int offset) {
        read(7, offset, 8, READ);
    }
}
