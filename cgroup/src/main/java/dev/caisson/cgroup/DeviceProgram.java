package dev.caisson.cgroup;

import dev.caisson.spec.DeviceRule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// Rules for devices as a program of the kernel's virtual machine, which is asked at each open and mknod of a device
/// node: `struct bpf_cgroup_dev_ctx` of linux/bpf.h, Documentation/bpf/standardization/instruction-set.rst.
final class DeviceProgram {
    private static final int INSTRUCTION = 8;
    private static final int MOST_PER_RULE = 8;

    // registers
    private static final int ANSWER = 0;
    private static final int CONTEXT = 1;
    private static final int KIND = 2;
    private static final int ACCESS = 3;
    private static final int MAJOR = 4;
    private static final int MINOR = 5;
    private static final int SCRATCH = 6;

    // operations
    private static final int LOAD_WORD = 0x61;
    private static final int MOVE_REGISTER = 0xbc;
    private static final int MOVE_NUMBER = 0xb4;
    private static final int AND_NUMBER = 0x54;
    private static final int SHIFT_RIGHT = 0x74;
    private static final int JUMP_UNLESS_EQUAL = 0x56;
    private static final int EXIT = 0x95;

    private static final int ACCESS_TYPE_OFFSET = 0;
    private static final int MAJOR_OFFSET = 4;
    private static final int MINOR_OFFSET = 8;
    private static final int KIND_MASK = 0xffff;
    private static final int KIND_BITS = 16;

    private final ByteBuffer code;

    private DeviceProgram(int rules) {
        code = ByteBuffer.allocate(INSTRUCTION * (8 + MOST_PER_RULE * rules)).order(ByteOrder.nativeOrder());
    }

    /// A program that allows what a rule allows whole, and nothing else.
    static byte[] assemble(List<DeviceRule> rules) {
        var program = new DeviceProgram(rules.size());
        program.add(LOAD_WORD, KIND, CONTEXT, ACCESS_TYPE_OFFSET, 0);
        program.add(MOVE_REGISTER, ACCESS, KIND, 0, 0);
        program.add(AND_NUMBER, KIND, 0, 0, KIND_MASK);
        program.add(SHIFT_RIGHT, ACCESS, 0, 0, KIND_BITS);
        program.add(LOAD_WORD, MAJOR, CONTEXT, MAJOR_OFFSET, 0);
        program.add(LOAD_WORD, MINOR, CONTEXT, MINOR_OFFSET, 0);
        rules.forEach(program::addRule);
        program.answer(0);
        var bytes = new byte[program.code.position()];
        program.code.flip().get(bytes);
        return bytes;
    }

    /// Each test that fails jumps behind the rule.
    private void addRule(DeviceRule rule) {
        int left = 5 + (rule.major().isPresent() ? 1 : 0) + (rule.minor().isPresent() ? 1 : 0);
        add(JUMP_UNLESS_EQUAL, KIND, 0, left--, kind(rule.kind()));
        add(MOVE_REGISTER, SCRATCH, ACCESS, 0, 0);
        add(AND_NUMBER, SCRATCH, 0, 0, ~mask(rule));
        left -= 2;
        add(JUMP_UNLESS_EQUAL, SCRATCH, 0, left--, 0);
        if (rule.major().isPresent()) {
            add(JUMP_UNLESS_EQUAL, MAJOR, 0, left--, rule.major().getAsInt());
        }
        if (rule.minor().isPresent()) {
            add(JUMP_UNLESS_EQUAL, MINOR, 0, left, rule.minor().getAsInt());
        }
        answer(1);
    }

    private static int kind(DeviceRule.Kind kind) {
        return switch (kind) {
            case BLOCK -> 1; // BPF_DEVCG_DEV_BLOCK
            case CHARACTER -> 2; // BPF_DEVCG_DEV_CHAR
        };
    }

    private static int mask(DeviceRule rule) {
        int mask = 0;
        for (DeviceRule.Access access : rule.access()) {
            mask |= switch (access) {
                case MAKE -> 1; // BPF_DEVCG_ACC_MKNOD
                case READ -> 2;
                case WRITE -> 4;
            };
        }
        return mask;
    }

    private void answer(int allowed) {
        add(MOVE_NUMBER, ANSWER, 0, 0, allowed);
        add(EXIT, 0, 0, 0, 0);
    }

    private void add(int operation, int target, int source, int offset, int number) {
        boolean little = code.order() == ByteOrder.LITTLE_ENDIAN;
        code.put((byte) operation)
                .put((byte) (little ? source << 4 | target : target << 4 | source))
                .putShort((short) offset)
                .putInt(number);
    }
}
