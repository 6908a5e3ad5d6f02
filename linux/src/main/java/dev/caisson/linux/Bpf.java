package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Programs for the kernel's virtual machine, bpf(2).
public final class Bpf {
    private static final int BPF_PROG_LOAD = 5;
    private static final int BPF_PROG_ATTACH = 8;
    private static final int BPF_PROG_TYPE_CGROUP_DEVICE = 15;
    private static final int BPF_CGROUP_DEVICE = 6;
    private static final int BPF_F_ALLOW_MULTI = 2;
    private static final int INSTRUCTION_SIZE = 8;
    /// Of `union bpf_attr`: the part that both calls use. The kernel takes the rest as zero.
    private static final int ATTRIBUTES = 48;

    private Bpf() {}

    /// Loads a program that says of each access to a device node whether it is allowed. Needs CAP_BPF and
    /// CAP_NET_ADMIN, or CAP_SYS_ADMIN.
    /// @param instructions eight bytes each, in this machine's byte order
    public static Fd loadCgroupDevice(byte[] instructions) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment code = arena.allocate(Math.max(1, instructions.length), Long.BYTES);
            MemorySegment.copy(instructions, 0, code, JAVA_BYTE, 0, instructions.length);
            MemorySegment attributes = arena.allocate(ATTRIBUTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, BPF_PROG_TYPE_CGROUP_DEVICE);
            attributes.set(JAVA_INT, 4, instructions.length / INSTRUCTION_SIZE);
            attributes.set(JAVA_LONG, 8, code.address());
            attributes.set(JAVA_LONG, 16, Native.string(arena, "Apache-2.0").address());
            return Fd.of("bpf PROG_LOAD", Native.raw(Nr.BPF, BPF_PROG_LOAD, attributes.address(), ATTRIBUTES));
        }
    }

    /// Attaches the program to a group of the unified tree, where it stays until the group is removed. An access must
    /// be allowed by the programs of all groups above, too.
    public static void attachCgroupDevice(Fd program, Fd group) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(ATTRIBUTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, group.number());
            attributes.set(JAVA_INT, 4, program.number());
            attributes.set(JAVA_INT, 8, BPF_CGROUP_DEVICE);
            attributes.set(JAVA_INT, 12, BPF_F_ALLOW_MULTI);
            Native.check("bpf PROG_ATTACH", Native.raw(Nr.BPF, BPF_PROG_ATTACH, attributes.address(), ATTRIBUTES));
        }
    }
}
