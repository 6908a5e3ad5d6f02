package dev.caisson.engine;

import dev.caisson.linux.Fd;
import dev.caisson.seccomp.Architecture;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Assembles the two eBPF programs of the recorder, bpf(2): at the raw tracepoint sys_enter one that counts the calls
/// of one pid namespace by number, at sys_exit one that counts those that ended in an error. A filter is asked before
/// sys_enter, so a call that ends and never began was denied.
///
/// Both programs have one array: a counter per number, and behind them the recorder's state. The programs themselves
/// may be used under the MIT licence or the GPL: a helper that they need is for such programs alone.
final class RecorderProgram {
    /// Numbers below this are counted; no architecture has one above, but for private ones of ARM.
    static final int NUMBERS = 1024;

    /// The slot that holds 0 until the program has been started, and 1 from then on.
    static final int STATE = NUMBERS;

    /// The slot that counts calls by another ABI than the native one.
    static final int FOREIGN = NUMBERS + 1;

    static final int SLOTS = NUMBERS + 2;

    private static final int GET_NAMESPACE_PID = 120;
    private static final int PROBE_READ_KERNEL = 113;
    private static final int MAP_LOOKUP = 1;
    private static final int FRAME = 10;

    /// Where the saved registers keep what is asked for, `struct pt_regs` of an architecture.
    /// @param number of the call, 32 bits
    /// @param mode by which a 32-bit entry is known: `cs`, or `pstate`
    record Registers(int number, int mode, int mask, int foreign, int execveat) {}

    static final Registers X86_64 = new Registers(120, 136, 0xffff, 0x23, 322);
    static final Registers AARCH64 = new Registers(280, 264, 0x10, 0x10, 281);

    private record Instruction(int code, int destination, int source, String label, int offset, int constant) {}

    private final List<Instruction> code = new ArrayList<>();
    private final Map<String, Integer> labels = new HashMap<>();
    private final Registers registers;

    private RecorderProgram(Registers registers) {
        this.registers = registers;
    }

    /// @throws EngineException RECORDER_UNSUPPORTED
    static Registers ofMachine() {
        return switch (Architecture.host()) {
            case X86_64 -> X86_64;
            case AARCH64 -> AARCH64;
            case X86, X32, ARM, RISCV64, S390X, PPC64LE, LOONGARCH64 ->
                throw new EngineException(
                        "RECORDER_UNSUPPORTED",
                        "calls are recorded by eBPF on x86_64 and aarch64 only; here a program that Caisson starts "
                                + "can be recorded, 'caisson seccomp record --recorder notify -- run …'");
        };
    }

    /// Counts what enters, but waits for the execveat by which the program is started.
    /// @param array the map of counters
    /// @param skipsFirst whether process 1 of the namespace is an init of ours, which is no part of the workload
    static byte[] enter(Registers registers, Fd array, long device, long inode, boolean skipsFirst) {
        return enter(registers, array.number(), device, inode, skipsFirst);
    }

    static byte[] enter(Registers registers, int array, long device, long inode, boolean skipsFirst) {
        var program = new RecorderProgram(registers);
        program.move(6, 1);
        program.load(7, 6, 0); // registers
        program.load(8, 6, 8); // number
        program.inNamespace(device, inode);
        program.slot(array, STATE);
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
    static byte[] exit(Registers registers, Fd array, Fd state, long device, long inode, boolean skipsFirst) {
        return exit(registers, array.number(), state.number(), device, inode, skipsFirst);
    }

    static byte[] exit(Registers registers, int array, int state, long device, long inode, boolean skipsFirst) {
        var program = new RecorderProgram(registers);
        program.move(6, 1);
        program.load(7, 6, 0); // registers
        program.load(1, 6, 8); // result
        program.add(new Instruction(0x65, 1, 0, "end", 0, -1)); // signed greater
        program.inNamespace(device, inode);
        program.slot(state, STATE);
        program.load(1, 0, 0);
        program.jumpNotEqual(1, 1, "end");
        program.skipFirst(skipsFirst);
        program.read(program.registers.number());
        program.add(new Instruction(0x61, 8, FRAME, "", -24, 0)); // 32 bits
        program.count(array);
        program.end();
        return program.assemble();
    }

    /// Ends for a task of another pid namespace; a number of ours is in a word of the frame otherwise.
    private void inNamespace(long device, long inode) {
        wide(1, 0, device);
        wide(2, 0, inode);
        move(3, FRAME);
        addConstant(3, -16);
        constant(4, 8);
        call(GET_NAMESPACE_PID);
        jumpNotEqual(0, 0, "end");
    }

    private void skipFirst(boolean skips) {
        if (skips) {
            add(new Instruction(0x61, 1, FRAME, "", -12, 0)); // the thread group's id, 32 bits
            add(new Instruction(0x15, 1, 0, "end", 0, 1));
        }
    }

    /// Counts the number in register 8, or a foreign entry.
    private void count(int array) {
        read(registers.mode());
        load(1, FRAME, -24);
        add(new Instruction(0x57, 1, 0, "", 0, registers.mask()));
        jumpNotEqual(1, registers.foreign(), "native");
        constant(8, FOREIGN);
        add(new Instruction(0x05, 0, 0, "known", 0, 0));
        label("native");
        add(new Instruction(0x35, 8, 0, "end", 0, NUMBERS)); // greater or equal, unsigned
        label("known");
        add(new Instruction(0x63, FRAME, 8, "", -4, 0));
        slotOfFrame(array);
        constant(1, 1);
        add(new Instruction(0xdb, 0, 1, "", 0, 0)); // atomic add
        add(new Instruction(0x05, 0, 0, "end", 0, 0));
    }

    /// Eight bytes of the saved registers into the frame, at -24.
    private void read(int offset) {
        move(3, 7);
        addConstant(3, offset);
        move(1, FRAME);
        addConstant(1, -24);
        constant(2, 8);
        call(PROBE_READ_KERNEL);
        jumpNotEqual(0, 0, "end");
    }

    private void slot(int array, int slot) {
        add(new Instruction(0x62, FRAME, 0, "", -4, slot));
        slotOfFrame(array);
    }

    private void slotOfFrame(int array) {
        wide(1, 1, array);
        move(2, FRAME);
        addConstant(2, -4);
        call(MAP_LOOKUP);
        add(new Instruction(0x15, 0, 0, "end", 0, 0));
    }

    private void end() {
        label("end");
        constant(0, 0);
        add(new Instruction(0x95, 0, 0, "", 0, 0));
    }

    private void move(int destination, int source) {
        add(new Instruction(0xbf, destination, source, "", 0, 0));
    }

    private void constant(int destination, int value) {
        add(new Instruction(0xb7, destination, 0, "", 0, value));
    }

    private void addConstant(int destination, int value) {
        add(new Instruction(0x07, destination, 0, "", 0, value));
    }

    private void load(int destination, int source, int offset) {
        add(new Instruction(0x79, destination, source, "", offset, 0));
    }

    private void store(int destination, int offset, int value) {
        add(new Instruction(0x7a, destination, 0, "", offset, value));
    }

    /// A constant of 64 bits takes two instructions; `source` 1 makes it a map.
    private void wide(int destination, int source, long value) {
        add(new Instruction(0x18, destination, source, "", 0, (int) value));
        add(new Instruction(0, 0, 0, "", 0, (int) (value >>> 32)));
    }

    private void call(int helper) {
        add(new Instruction(0x85, 0, 0, "", 0, helper));
    }

    private void jumpNotEqual(int register, int value, String label) {
        add(new Instruction(0x55, register, 0, label, 0, value));
    }

    private void label(String name) {
        labels.put(name, code.size());
    }

    private void add(Instruction instruction) {
        code.add(instruction);
    }

    private byte[] assemble() {
        var bytes = new ByteArrayOutputStream();
        ByteBuffer buffer = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
        for (int at = 0; at < code.size(); at++) {
            Instruction instruction = code.get(at);
            int offset = instruction.label().isEmpty()
                    ? instruction.offset()
                    : labels.getOrDefault(instruction.label(), 0) - at - 1;
            buffer.clear();
            buffer.put((byte) instruction.code());
            buffer.put((byte) (instruction.source() << 4 | instruction.destination()));
            buffer.putShort((short) offset);
            buffer.putInt(instruction.constant());
            bytes.writeBytes(buffer.array());
        }
        return bytes.toByteArray();
    }
}
