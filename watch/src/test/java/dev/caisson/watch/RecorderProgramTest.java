package dev.caisson.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.SyscallTable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The recorder's programs on an interpreter of eBPF, with the saved registers of either machine as the
/// kernel's `asm/ptrace.h` lays them out. Numbers and registers are little-endian, as on both.
class RecorderProgramTest {
    private static final long DEVICE = 4;
    private static final long INODE = 0xf0000123L;
    private static final PidNamespace NAMESPACE = new PidNamespace(DEVICE, INODE);
    private static final int ENTERED = 3;
    private static final int LEFT = 5;
    private static final int EPERM = 1;

    enum Machine {
        X86_64(
                Architecture.X86_64,
                "r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp ss",
                "orig_ax",
                "cs",
                0x33,
                0x23),
        AARCH64(
                Architecture.AARCH64,
                "x0 x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 x11 x12 x13 x14 x15 x16 x17 x18 x19 x20 x21 x22 x23 x24 x25 x26 x27 "
                        + "x28 x29 x30 sp pc pstate orig_x0 syscallno pmr_and_padding",
                "syscallno",
                "pstate",
                0x6000_0000,
                0x6000_0010);

        private final Architecture architecture;
        private final String layout;
        private final String number;
        private final String mode;
        private final long nativeMode;
        private final long foreignMode;

        Machine(
                Architecture architecture,
                String layout,
                String number,
                String mode,
                long nativeMode,
                long foreignMode) {
            this.architecture = architecture;
            this.layout = layout;
            this.number = number;
            this.mode = mode;
            this.nativeMode = nativeMode;
            this.foreignMode = foreignMode;
        }

        private RecorderProgram.Registers registers() {
            return this == AARCH64 ? RecorderProgram.AARCH64 : RecorderProgram.X86_64;
        }

        private int call(String name) {
            return SyscallTable.get().number(architecture, name).orElseThrow();
        }

        /// `struct pt_regs`; what is not set holds garbage. The number has 32 bits, and what is
        /// behind it is something else.
        private ByteBuffer saved(int call, boolean isForeign) {
            List<String> fields = List.of(layout.split(" ", -1));
            ByteBuffer saved = ByteBuffer.allocate(8 * fields.size()).order(ByteOrder.LITTLE_ENDIAN);
            for (int at = 0; at < fields.size(); at++) {
                saved.putLong(8 * at, 0xdead_0000_0000_0200L + at);
            }
            saved.putInt(8 * fields.indexOf(number), call);
            saved.putLong(8 * fields.indexOf(mode), isForeign ? foreignMode : nativeMode);
            return saved;
        }
    }

    @ParameterizedTest
    @EnumSource(Machine.class)
    void calls_count_from_the_execveat_on_that_starts_the_program(Machine machine) {
        var kernel = new Kernel(machine);

        kernel.enter("openat", 7);
        assertThat(kernel.counts(ENTERED)).isEmpty();
        kernel.enter("execveat", 7);
        assertThat(kernel.counts(ENTERED)).containsOnly(Map.entry(RecorderProgram.STATE, 1L));
        kernel.enter("openat", 7);
        kernel.enter("openat", 8);
        kernel.enter("execveat", 8);

        assertThat(kernel.counts(ENTERED))
                .containsOnly(
                        Map.entry(machine.call("openat"), 2L),
                        Map.entry(machine.call("execveat"), 1L),
                        Map.entry(RecorderProgram.STATE, 1L));
    }

    @ParameterizedTest
    @EnumSource(Machine.class)
    void a_call_that_leaves_with_an_error_counts_by_the_number_in_its_registers(Machine machine) {
        var kernel = new Kernel(machine);
        kernel.leave("mount", 7, -EPERM, false);
        assertThat(kernel.counts(LEFT)).as("before the program").isEmpty();
        kernel.enter("execveat", 7);

        kernel.leave("mount", 7, -EPERM, false);
        kernel.leave("openat", 7, 3, false);
        kernel.leave("read", 7, 0, false);

        assertThat(kernel.counts(LEFT)).containsOnly(Map.entry(machine.call("mount"), 1L));
    }

    @ParameterizedTest
    @EnumSource(Machine.class)
    void a_call_by_the_32_bit_abi_counts_as_a_foreign_one(Machine machine) {
        var kernel = new Kernel(machine);
        kernel.enter("execveat", 7);

        kernel.run(kernel.enter, machine.saved(5, true), 5, 7);
        kernel.leave("mount", 7, -EPERM, true);

        assertThat(kernel.counts(ENTERED))
                .containsOnly(Map.entry(RecorderProgram.FOREIGN, 1L), Map.entry(RecorderProgram.STATE, 1L));
        assertThat(kernel.counts(LEFT)).doesNotContainKey(machine.call("mount"));
    }

    /// The registers of a 64-bit program that makes it look like those of any other call; `cd 80` is `int $0x80`.
    @Test
    void a_call_by_int_80_of_a_64_bit_program_counts_as_a_foreign_one() {
        var kernel = new Kernel(Machine.X86_64);
        kernel.enter("execveat", 7);

        kernel.instruction = new byte[] {(byte) 0xcd, (byte) 0x80};
        kernel.enter("writev", 7);
        kernel.leave("mount", 7, -EPERM, false);
        kernel.instruction = null;
        kernel.enter("openat", 7);

        assertThat(kernel.counts(ENTERED))
                .containsOnly(
                        Map.entry(RecorderProgram.FOREIGN, 1L),
                        Map.entry(RecorderProgram.STATE, 1L),
                        Map.entry(Machine.X86_64.call("openat"), 1L));
        assertThat(kernel.counts(LEFT)).containsOnly(Map.entry(RecorderProgram.FOREIGN, 1L));
    }

    @ParameterizedTest
    @EnumSource(Machine.class)
    void other_namespaces_init_and_numbers_beyond_the_table_are_left_out(Machine machine) {
        var kernel = new Kernel(machine);
        kernel.enter("execveat", 7);
        kernel.enter("openat", 1);
        kernel.leave("mount", 1, -EPERM, false);
        kernel.run(kernel.enter, machine.saved(0x4000_0001, false), 0x4000_0001, 7);
        kernel.run(kernel.enter, machine.saved(-1, false), -1, 7);
        kernel.namespace = INODE + 1;
        kernel.enter("openat", 7);
        kernel.leave("mount", 7, -EPERM, false);

        assertThat(kernel.counts(ENTERED)).containsOnly(Map.entry(RecorderProgram.STATE, 1L));
        assertThat(kernel.counts(LEFT)).isEmpty();
    }

    /// What the two programs see of a kernel: two arrays, one task at a time, and memory that is
    /// read by a helper only.
    private static final class Kernel {
        private static final long CONTEXT = 0x1000;
        private static final long FRAME = 0x3000;
        private static final int FRAME_SIZE = 512;
        private static final long SAVED = 0x7f00_0000_0000L;
        private static final long ARRAYS = 0x10_0000;
        private static final int EINVAL = 22;
        private static final int EFAULT = 14;

        private final Machine machine;
        private final byte[] enter;
        private final byte[] exit;
        private final Map<Integer, ByteBuffer> arrays =
                Map.of(ENTERED, memory(8 * RecorderProgram.SLOTS), LEFT, memory(8 * RecorderProgram.SLOTS));
        private long namespace = INODE;
        /// What stands in front of the instruction pointer: `syscall`; nothing where it cannot be read.
        private byte @Nullable [] instruction = {0x0f, 0x05};

        private Kernel(Machine machine) {
            this.machine = machine;
            enter = RecorderProgram.enter(machine.registers(), ENTERED, NAMESPACE, true);
            exit = RecorderProgram.exit(machine.registers(), LEFT, ENTERED, NAMESPACE, true);
        }

        private static ByteBuffer memory(int size) {
            return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        }

        private void enter(String name, int process) {
            int number = machine.call(name);
            run(enter, machine.saved(number, false), number, process);
        }

        private void leave(String name, int process, long result, boolean isForeign) {
            run(exit, machine.saved(machine.call(name), isForeign), result, process);
        }

        private Map<Integer, Long> counts(int array) {
            var counts = new TreeMap<Integer, Long>();
            for (int slot = 0; slot < RecorderProgram.SLOTS; slot++) {
                long count = Objects.requireNonNull(arrays.get(array)).getLong(8 * slot);
                if (count != 0) {
                    counts.put(slot, count);
                }
            }
            return counts;
        }

        /// Interprets as `kernel/bpf/core.c` does, and refuses what the verifier would: memory that
        /// is none.
        private void run(byte[] program, ByteBuffer saved, long second, int process) {
            ByteBuffer code = ByteBuffer.wrap(program).order(ByteOrder.nativeOrder());
            ByteBuffer context = memory(16).putLong(0, SAVED).putLong(8, second);
            ByteBuffer frame = memory(FRAME_SIZE);
            long[] register = new long[11];
            register[1] = CONTEXT;
            register[10] = FRAME;
            for (int at = 0, steps = 0; steps < 500; at++, steps++) {
                int operation = code.get(8 * at) & 0xff;
                int destination = code.get(8 * at + 1) & 0xf;
                int source = (code.get(8 * at + 1) & 0xf0) >> 4;
                int offset = code.getShort(8 * at + 2);
                int constant = code.getInt(8 * at + 4);
                long target = register[destination];
                switch (operation) {
                    case 0xbf -> register[destination] = register[source];
                    case 0xb7 -> register[destination] = constant;
                    case 0x07 -> register[destination] += constant;
                    case 0x57 -> register[destination] &= constant;
                    case 0x18 -> {
                        long wide = (constant & 0xffffffffL) | ((long) code.getInt(8 * at + 12) << 32);
                        register[destination] = wide;
                        at++;
                    }
                    case 0x79 ->
                        register[destination] =
                                at(context, frame, register[source] + offset, 8).getLong();
                    case 0x61 ->
                        register[destination] =
                                at(context, frame, register[source] + offset, 4).getInt() & 0xffffffffL;
                    case 0x7a -> at(context, frame, target + offset, 8).putLong(constant);
                    case 0x62 -> at(context, frame, target + offset, 4).putInt(constant);
                    case 0x63 -> at(context, frame, target + offset, 4).putInt((int) register[source]);
                    case 0xdb -> {
                        ByteBuffer counter = at(context, frame, target + offset, 8);
                        counter.putLong(0, counter.getLong(0) + register[source]);
                    }
                    case 0x05 -> at += offset;
                    case 0x15 -> at += target == constant ? offset : 0;
                    case 0x55 -> at += target != constant ? offset : 0;
                    case 0x35 -> at += Long.compareUnsigned(target, constant) >= 0 ? offset : 0;
                    case 0x65 -> at += target > constant ? offset : 0;
                    case 0x85 -> {
                        register[0] = call(constant, register, context, frame, saved, process);
                        for (int scratch = 1; scratch <= 5; scratch++) {
                            register[scratch] = 0xbad0_bad0_bad0L;
                        }
                    }
                    case 0x95 -> {
                        return;
                    }
                    default -> throw new AssertionError("no instruction 0x" + Integer.toHexString(operation));
                }
            }
            throw new AssertionError("the program does not end");
        }

        private long call(
                int helper, long[] register, ByteBuffer context, ByteBuffer frame, ByteBuffer saved, int process) {
            return switch (helper) {
                case 1 -> { // map_lookup_elem
                    int slot = at(context, frame, register[2], 4).getInt();
                    yield slot < RecorderProgram.SLOTS ? ARRAYS * register[1] + 8L * slot : 0;
                }
                case 113 -> { // probe_read_kernel
                    long from = register[3] - SAVED;
                    ByteBuffer to = at(context, frame, register[1], (int) register[2]);
                    if (from < 0 || from + register[2] > saved.capacity()) {
                        yield -EFAULT;
                    }
                    to.put(saved.slice((int) from, (int) register[2]));
                    yield 0;
                }
                case 112 -> { // probe_read_user
                    ByteBuffer to = at(context, frame, register[1], (int) register[2]);
                    long pointer = saved.getLong(
                            8 * List.of(machine.layout.split(" ", -1)).indexOf("ip"));
                    assertThat(register[3]).isEqualTo(pointer - 2);
                    to.put(instruction == null ? new byte[2] : instruction);
                    yield instruction == null ? -EFAULT : 0;
                }
                case 120 -> { // get_ns_current_pid_tgid
                    if (register[1] != DEVICE || register[2] != namespace || register[4] != 8) {
                        yield -EINVAL;
                    }
                    at(context, frame, register[3], 8).putInt(process + 100).putInt(process);
                    yield 0;
                }
                default -> throw new AssertionError("no helper " + helper);
            };
        }

        private ByteBuffer at(ByteBuffer context, ByteBuffer frame, long address, int size) {
            var places = new ArrayList<ByteBuffer>();
            place(places, context, address - CONTEXT, size);
            place(places, frame, address - (FRAME - FRAME_SIZE), size);
            arrays.forEach((number, array) -> place(places, array, address - ARRAYS * number, size));
            assertThat(places).as("memory at 0x%x", address).hasSize(1);
            return places.getFirst();
        }

        private static void place(List<ByteBuffer> places, ByteBuffer memory, long offset, int size) {
            if (offset >= 0 && offset + size <= memory.capacity()) {
                places.add(memory.slice((int) offset, size).order(ByteOrder.LITTLE_ENDIAN));
            }
        }
    }
}
