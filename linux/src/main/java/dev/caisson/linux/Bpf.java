package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Programs for the kernel's virtual machine, bpf(2).
public final class Bpf {
    private static final int BPF_PROG_LOAD = 5;
    private static final int BPF_PROG_ATTACH = 8;
    private static final int BPF_PROG_TYPE_CGROUP_DEVICE = 15;
    private static final int BPF_CGROUP_DEVICE = 6;
    private static final int BPF_F_ALLOW_MULTI = 2;
    private static final int INSTRUCTION_SIZE = 8;
    /// Size of the part of `union bpf_attr` that these calls use. The kernel takes the rest as zero.
    private static final int ATTRIBUTES = 48;

    private static final int BPF_MAP_CREATE = 0;
    private static final int BPF_MAP_LOOKUP_ELEM = 1;
    private static final int BPF_MAP_UPDATE_ELEM = 2;
    private static final int BPF_PROG_GET_FD_BY_ID = 13;
    private static final int BPF_OBJ_GET_INFO_BY_FD = 15;
    private static final int BPF_PROG_QUERY = 16;
    private static final int BPF_RAW_TRACEPOINT_OPEN = 17;
    private static final int BPF_MAP_LOOKUP_AND_DELETE_ELEM = 21;
    private static final int BPF_MAP_TYPE_ARRAY = 2;
    private static final int BPF_MAP_TYPE_LRU_HASH = 9;
    private static final int BPF_MAP_TYPE_QUEUE = 22;
    private static final int BPF_PROG_TYPE_RAW_TRACEPOINT = 17;

    private static final int MOST_ATTACHED = 64; // BPF_CGROUP_MAX_PROGS, linux/bpf-cgroup.h
    private static final int TAG_SIZE = 8;
    private static final int TAG_OFFSET = 8; // of struct bpf_prog_info
    private static final int INFO_SIZE = TAG_OFFSET + TAG_SIZE;

    private Bpf() {}

    /// An array of 64-bit numbers, all 0, that programs and [#lookup] share.
    public static Fd createArray(int entries) {
        return create(BPF_MAP_TYPE_ARRAY, Integer.BYTES, Long.BYTES, entries);
    }

    /// A map of 64-bit numbers by 64-bit keys for programs, which forgets what was used longest ago where it is full.
    public static Fd createForgetfulMap(int entries) {
        return create(BPF_MAP_TYPE_LRU_HASH, Long.BYTES, Long.BYTES, entries);
    }

    /// A queue that programs push values of so many bytes to, and [#pop] takes them from. Needs Linux 4.20.
    public static Fd createQueue(int size, int entries) {
        return create(BPF_MAP_TYPE_QUEUE, 0, size, entries);
    }

    private static Fd create(int type, int keySize, int valueSize, int entries) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(ATTRIBUTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, type);
            attributes.set(JAVA_INT, 4, keySize);
            attributes.set(JAVA_INT, 8, valueSize);
            attributes.set(JAVA_INT, 12, entries);
            return Fd.of("bpf MAP_CREATE", Native.raw(Nr.BPF, BPF_MAP_CREATE, attributes.address(), ATTRIBUTES));
        }
    }

    /// Takes the oldest value out of a queue.
    /// @param size of its values
    /// @return empty where there is none
    public static Optional<byte[]> pop(Fd queue, int size) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(size, Long.BYTES);
            MemorySegment attributes = arena.allocate(ATTRIBUTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, queue.number());
            attributes.set(JAVA_LONG, 16, value.address());
            long result = Native.raw(Nr.BPF, BPF_MAP_LOOKUP_AND_DELETE_ELEM, attributes.address(), ATTRIBUTES);
            if (result == -Errno.ENOENT) {
                return Optional.empty();
            }
            Native.check("bpf MAP_LOOKUP_AND_DELETE_ELEM", result);
            return Optional.of(value.toArray(JAVA_BYTE));
        }
    }

    /// The number in a slot of an array.
    public static long lookup(Fd array, int slot) {
        return access(BPF_MAP_LOOKUP_ELEM, "bpf MAP_LOOKUP_ELEM", array, slot, 0);
    }

    /// Sets the number in a slot of an array.
    public static void update(Fd array, int slot, long value) {
        access(BPF_MAP_UPDATE_ELEM, "bpf MAP_UPDATE_ELEM", array, slot, value);
    }

    private static long access(int command, String name, Fd array, int slot, long given) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment key = arena.allocateFrom(JAVA_INT, slot);
            MemorySegment value = arena.allocateFrom(JAVA_LONG, given);
            MemorySegment attributes = arena.allocate(ATTRIBUTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, array.number());
            attributes.set(JAVA_LONG, 8, key.address());
            attributes.set(JAVA_LONG, 16, value.address());
            Native.check(name, Native.raw(Nr.BPF, command, attributes.address(), ATTRIBUTES));
            return value.get(JAVA_LONG, 0);
        }
    }

    /// Loads a program for a raw tracepoint, whose arguments it gets as 64-bit numbers. Needs CAP_BPF and CAP_PERFMON,
    /// or CAP_SYS_ADMIN.
    /// @param instructions eight bytes each, in this machine's byte order; they may use helpers for GPL programs
    public static Fd loadRawTracepoint(byte[] instructions) {
        return load(BPF_PROG_TYPE_RAW_TRACEPOINT, "Dual MIT/GPL", instructions);
    }

    /// Runs a program at a tracepoint of the kernel, by its name, until what is returned is closed.
    public static Fd attachRawTracepoint(String name, Fd program) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(ATTRIBUTES, Long.BYTES);
            attributes.set(JAVA_LONG, 0, Native.string(arena, name).address());
            attributes.set(JAVA_INT, 8, program.number());
            return Fd.of(
                    "bpf RAW_TRACEPOINT_OPEN",
                    Native.raw(Nr.BPF, BPF_RAW_TRACEPOINT_OPEN, attributes.address(), ATTRIBUTES));
        }
    }

    /// Loads a program that says of each access to a device node whether it is allowed. Needs CAP_BPF and
    /// CAP_NET_ADMIN, or CAP_SYS_ADMIN.
    /// @param instructions eight bytes each, in this machine's byte order
    public static Fd loadCgroupDevice(byte[] instructions) {
        return load(BPF_PROG_TYPE_CGROUP_DEVICE, "Apache-2.0", instructions);
    }

    private static Fd load(int type, String licence, byte[] instructions) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment code = arena.allocate(Math.max(1, instructions.length), Long.BYTES);
            MemorySegment.copy(instructions, 0, code, JAVA_BYTE, 0, instructions.length);
            MemorySegment attributes = arena.allocate(ATTRIBUTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, type);
            attributes.set(JAVA_INT, 4, instructions.length / INSTRUCTION_SIZE);
            attributes.set(JAVA_LONG, 8, code.address());
            attributes.set(JAVA_LONG, 16, Native.string(arena, licence).address());
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

    /// The kernel's digest of a program: two of the same instructions have the same on one kernel.
    public static byte[] tag(Fd program) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(INFO_SIZE, Long.BYTES);
            MemorySegment attributes = arena.allocate(ATTRIBUTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, program.number());
            attributes.set(JAVA_INT, 4, INFO_SIZE);
            attributes.set(JAVA_LONG, 8, info.address());
            Native.check(
                    "bpf OBJ_GET_INFO_BY_FD",
                    Native.raw(Nr.BPF, BPF_OBJ_GET_INFO_BY_FD, attributes.address(), ATTRIBUTES));
            return info.asSlice(TAG_OFFSET, TAG_SIZE).toArray(JAVA_BYTE);
        }
    }

    /// Digests of the programs for devices that are attached to the group itself, [#tag].
    public static List<byte[]> attachedCgroupDevice(Fd group) {
        var tags = new ArrayList<byte[]>();
        for (int id : attached(group)) {
            try (Fd program = program(id)) {
                tags.add(tag(program));
            } catch (ErrnoException e) {
                if (!e.is(Errno.ENOENT)) { // taken off meanwhile
                    throw e;
                }
            }
        }
        return tags;
    }

    private static int[] attached(Fd group) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ids = arena.allocate(JAVA_INT, MOST_ATTACHED);
            MemorySegment attributes = arena.allocate(ATTRIBUTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, group.number());
            attributes.set(JAVA_INT, 4, BPF_CGROUP_DEVICE);
            attributes.set(JAVA_LONG, 16, ids.address());
            attributes.set(JAVA_INT, 24, MOST_ATTACHED);
            Native.check("bpf PROG_QUERY", Native.raw(Nr.BPF, BPF_PROG_QUERY, attributes.address(), ATTRIBUTES));
            int count = Math.min(MOST_ATTACHED, attributes.get(JAVA_INT, 24));
            return ids.asSlice(0, (long) count * Integer.BYTES).toArray(JAVA_INT);
        }
    }

    private static Fd program(int id) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(ATTRIBUTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, id);
            return Fd.of(
                    "bpf PROG_GET_FD_BY_ID",
                    Native.raw(Nr.BPF, BPF_PROG_GET_FD_BY_ID, attributes.address(), ATTRIBUTES));
        }
    }
}
