package dev.caisson.watch;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Instructions of the kernel's virtual machine, bpf(2), with labels for jumps. Helpers are called by their numbers
/// in `linux/bpf.h`; a call changes the registers 0 to 5.
class EbpfAssembler {
    /// The register with the end of the frame, 512 bytes that grow down.
    static final int FRAME = 10;

    private static final int MAP_LOOKUP = 1;
    private static final int PROBE_READ_KERNEL = 113;
    private static final int GET_NAMESPACE_PID = 120;

    private record Instruction(int code, int destination, int source, String label, int offset, int constant) {}

    private final List<Instruction> code = new ArrayList<>();
    private final Map<String, Integer> labels = new HashMap<>();

    /// Ends for a task of another pid namespace. The frame has the task's numbers in this one from -16 to -9: the
    /// thread's, and the process's.
    final void inNamespace(PidNamespace namespace) {
        wide(1, 0, namespace.device());
        wide(2, 0, namespace.inode());
        address(3, -16);
        constant(4, 8);
        call(GET_NAMESPACE_PID);
        jumpNotEqual(0, 0, "end");
    }

    /// Reads `size` bytes at `offset` from the address in `register` into the frame.
    final void read(int register, int offset, int size, int frame) {
        move(3, register);
        addConstant(3, offset);
        address(1, frame);
        constant(2, size);
        call(PROBE_READ_KERNEL);
        jumpNotEqual(0, 0, "end");
    }

    /// The address of an array's slot, whose number is in the frame, into register 0.
    final void slotOfFrame(int array, int frame) {
        map(1, array);
        address(2, frame);
        call(MAP_LOOKUP);
        jumpEqual(0, 0, "end");
    }

    /// The same with a slot that is known.
    final void slot(int array, int slot, int frame) {
        add(new Instruction(0x62, FRAME, 0, "", frame, slot));
        slotOfFrame(array, frame);
    }

    /// Adds one to the number that register 0 has the address of.
    final void increment() {
        constant(1, 1);
        add(new Instruction(0xdb, 0, 1, "", 0, 0)); // atomic add
    }

    final void end() {
        label("end");
        constant(0, 0);
        add(new Instruction(0x95, 0, 0, "", 0, 0));
    }

    final void move(int destination, int source) {
        add(new Instruction(0xbf, destination, source, "", 0, 0));
    }

    /// Loads the address of a place in the frame.
    final void address(int destination, int frame) {
        move(destination, FRAME);
        addConstant(destination, frame);
    }

    final void constant(int destination, int value) {
        add(new Instruction(0xb7, destination, 0, "", 0, value));
    }

    final void addConstant(int destination, int value) {
        add(new Instruction(0x07, destination, 0, "", 0, value));
    }

    final void and(int register, int mask) {
        add(new Instruction(0x57, register, 0, "", 0, mask));
    }

    final void load(int destination, int source, int offset) {
        add(new Instruction(0x79, destination, source, "", offset, 0));
    }

    /// Loads 32 bits.
    final void loadWord(int destination, int source, int offset) {
        add(new Instruction(0x61, destination, source, "", offset, 0));
    }

    final void store(int destination, int offset, int value) {
        add(new Instruction(0x7a, destination, 0, "", offset, value));
    }

    final void storeRegister(int destination, int offset, int source) {
        add(new Instruction(0x7b, destination, source, "", offset, 0));
    }

    /// Stores 32 bits.
    final void storeWord(int destination, int offset, int source) {
        add(new Instruction(0x63, destination, source, "", offset, 0));
    }

    /// A constant of 64 bits takes two instructions; `source` 1 makes it a map.
    private void wide(int destination, int source, long value) {
        add(new Instruction(0x18, destination, source, "", 0, (int) value));
        add(new Instruction(0, 0, 0, "", 0, (int) (value >>> 32)));
    }

    /// A map by its descriptor.
    final void map(int destination, int descriptor) {
        wide(destination, 1, descriptor);
    }

    final void call(int helper) {
        add(new Instruction(0x85, 0, 0, "", 0, helper));
    }

    final void jump(String label) {
        add(new Instruction(0x05, 0, 0, label, 0, 0));
    }

    final void jumpEqual(int register, int value, String label) {
        add(new Instruction(0x15, register, 0, label, 0, value));
    }

    final void jumpNotEqual(int register, int value, String label) {
        add(new Instruction(0x55, register, 0, label, 0, value));
    }

    /// Unsigned.
    final void jumpNotBelow(int register, int value, String label) {
        add(new Instruction(0x35, register, 0, label, 0, value));
    }

    /// Signed.
    final void jumpGreater(int register, int value, String label) {
        add(new Instruction(0x65, register, 0, label, 0, value));
    }

    final void label(String name) {
        labels.put(name, code.size());
    }

    private void add(Instruction instruction) {
        code.add(instruction);
    }

    final byte[] assemble() {
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
