package dev.caisson.seccomp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// A compiled classic BPF program, as seccomp(2) takes it.
public final class Filter {
    /// The bytes of one `struct sock_filter`.
    static final int INSTRUCTION = 8;

    /// Offset of the constant `k` in an instruction.
    private static final int CONSTANT = 4;

    private static final int LOAD = 0x20;
    private static final int EQUAL = 0x15;
    private static final int ANY_BIT = 0x45;
    private static final int RETURN = 0x06;

    /// Offsets of the architecture and of the second argument in `seccomp_data`.
    private static final int ARCHITECTURE = 4;

    private static final int FLAGS = 24;

    /// The answer that a question's data encode, beside an error number: it is the head's own, no error, the call
    /// passes.
    private static final int OF_THE_HEAD = 0xffff;

    private static final int NO_ERROR = 0x1000;
    private static final int PASSES = 0x1001;
    private static final int DATA = 0xffff;

    /// How many instructions [#asking] puts in front, and where the question stands among them.
    private static final int HEAD = 5;

    private static final int HEAD_WITH_LISTENER = 9;

    /// `SECCOMP_FILTER_FLAG_NEW_LISTENER`
    static final int NEW_LISTENER = 8;

    private final Architecture architecture;
    private final byte[] bytes;
    private final Supplier<Summary> summary;

    /// Offset of its low byte in a word of the program.
    private final int lowByte;

    /// Out of a cache; of others they are made when they are asked for.
    private @Nullable FilterTraits traits;

    Filter(Architecture architecture, long[] program, Summary summary) {
        this(architecture, encode(architecture, program), () -> summary, null);
    }

    /// @param bytes are the filter's from now on
    private Filter(Architecture architecture, byte[] bytes, Supplier<Summary> summary, @Nullable FilterTraits traits) {
        this.architecture = architecture;
        this.bytes = bytes;
        this.summary = summary;
        this.traits = traits;
        this.lowByte = architecture.byteOrder() == ByteOrder.LITTLE_ENDIAN ? 0 : 1;
    }

    private static byte[] encode(Architecture architecture, long[] program) {
        byte[] bytes = new byte[program.length * INSTRUCTION];
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(architecture.byteOrder());
        for (long instruction : program) {
            put(buffer, instruction);
        }
        return bytes;
    }

    private static void put(ByteBuffer buffer, long instruction) {
        buffer.putShort((short) (instruction >>> 48));
        buffer.put((byte) (instruction >>> 40));
        buffer.put((byte) (instruction >>> 32));
        buffer.putInt((int) instruction);
    }

    /// A filter from its bytes, an array of `struct sock_filter`, as a file or PTRACE_SECCOMP_GET_FILTER gives it.
    /// @throws SeccompException FILTER_INVALID where the length cannot be a filter's
    public static Filter of(Architecture architecture, byte[] bytes) {
        byte[] program = checked(bytes);
        return new Filter(architecture, program, () -> Summary.of(of(architecture, program)), null);
    }

    /// @param stored as [#stored] writes it
    static Filter of(Architecture architecture, byte[] bytes, String stored) {
        return new Filter(
                architecture, checked(bytes), new Stored(stored.substring(1)), FilterTraits.parse(stored.charAt(0)));
    }

    /// Returns what a cache stores beside the program: its traits and its summary.
    String stored() {
        return traits().stored() + summary().stored();
    }

    /// A thread that does not see another's makes the same.
    private FilterTraits traits() {
        FilterTraits known = traits;
        if (known == null) {
            known = FilterTraits.of(this);
            traits = known;
        }
        return known;
    }

    /// Not a lambda: a cold JVM would have to link it.
    private static final class Stored implements Supplier<Summary> {
        private final String text;

        private Stored(String text) {
            this.text = text;
        }

        @Override
        public Summary get() {
            return Summary.parse(text);
        }
    }

    private static byte[] checked(byte[] bytes) {
        int length = bytes.length / INSTRUCTION;
        if (bytes.length % INSTRUCTION != 0 || length == 0 || length > Assembler.MAX_LENGTH) {
            throw new SeccompException(
                    SeccompException.Code.FILTER_INVALID,
                    bytes.length + " bytes are no filter: it has 1 to " + Assembler.MAX_LENGTH + " instructions of "
                            + INSTRUCTION + " bytes");
        }
        return bytes.clone();
    }

    /// The machine whose kernel may load it.
    public Architecture architecture() {
        return architecture;
    }

    /// The number of instructions.
    public int length() {
        return bytes.length / INSTRUCTION;
    }

    /// Returns a count of its decisions, for people; read from the program if it was not compiled here.
    public Summary summary() {
        return summary.get();
    }

    /// The summary as a sentence, which a filter out of a cache has ready.
    public String sentence() {
        return summary instanceof Stored stored
                ? Summary.sentence(stored.text)
                : summary().toString();
    }

    /// Returns its decision for a call by name.
    /// @throws SeccompException UNKNOWN_SYSCALL where the ABI has no call of this name
    public Action decide(Architecture abi, String name, long... arguments) {
        int number = SyscallTable.get()
                .number(abi, name)
                .orElseThrow(() -> new SeccompException(
                        SeccompException.Code.UNKNOWN_SYSCALL, abi + " has no call \"" + name + "\""));
        return Simulator.run(this, SeccompData.of(abi, number, arguments)).action();
    }

    /// Returns its decision for a call.
    public Action decide(SeccompData data) {
        return Simulator.run(this, data).action();
    }

    /// The program as an array of `struct sock_filter` in the machine's byte order.
    public byte[] bytes() {
        return bytes.clone();
    }

    /// The SHA-256 of [#bytes], in hexadecimal.
    public String sha256() {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes()));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /// How many calls of the native ABI the kernel can let pass by its bitmap, without running the filter:
    /// those that the filter allows after looking at nothing but architecture and number
    /// (`seccomp_is_const_allow`, Linux 5.11).
    public int cacheableCalls() {
        return (int) SyscallTable.get().calls(architecture).keySet().stream()
                .filter(number -> Simulator.allowsWithoutArguments(this, SeccompData.of(architecture, number)))
                .filter(number -> SyscallTable.get()
                        .byNumber(architecture, number)
                        .filter(Syscall::filterable)
                        .isPresent())
                .count();
    }

    /// The same filter, but a listener is asked where it returns an error other than ENOSYS, and at
    /// `execveat`, so that the call which starts the program waits until there is a listener. It is asked too
    /// where the program would have a listener of its own, if this filter allows it whatever its arguments; where
    /// it may let that pass otherwise, or by another ABI, the call fails with EBUSY.
    /// The listener gives the answers of this one. What is allowed by number alone stays visible to the
    /// kernel.
    /// @throws IllegalArgumentException where not [#canAsk]
    public Filter asking() {
        return asking(
                headForDenied(),
                action -> action.kind() == Action.Kind.ERRNO && action.data() != Action.ENOSYS && action.data() != 0);
    }

    /// The same filter, but a listener is asked about every call, and gives the answers of this
    /// one: only where it kills, traps or traces the kernel is left alone with it. Not asked about
    /// are those calls of [RecordedProfile]'s base set, other than `execveat`, which this filter
    /// allows whatever their arguments.
    /// @throws IllegalArgumentException where not [#canAsk]
    public Filter recording() {
        return asking(headForRecorded(), action -> switch (action.kind()) {
            case ERRNO, ALLOW, LOG -> true;
            case KILL_PROCESS, KILL_THREAD, TRAP, NOTIFY, TRACE -> false;
        });
    }

    /// Like [#asking], but a listener is asked at ENOSYS too.
    /// @throws IllegalArgumentException where not [#canAsk]
    public Filter learning() {
        return asking(headForDenied(), action -> action.kind() == Action.Kind.ERRNO);
    }

    /// A filter that allows every call of every ABI.
    public static Filter allowing(Architecture architecture) {
        byte[] program = encode(architecture, new long[] {instruction(RETURN, 0, 0, Action.ALLOW.returnValue())});
        return of(architecture, program);
    }

    private long[] headForRecorded() {
        List<Integer> unasked = RecordedProfile.BASE.stream()
                .map(name -> SyscallTable.get().number(architecture, name))
                .flatMapToInt(OptionalInt::stream)
                .filter(number -> number != execveat() && allowsByNumber(number))
                .sorted()
                .boxed()
                .toList();
        int count = unasked.size();
        if (count == 0) {
            return new long[0];
        }
        long[] head = new long[count + 4];
        head[0] = instruction(LOAD, 0, 0, ARCHITECTURE);
        head[1] = instruction(EQUAL, 0, count + 2, architecture.auditValue());
        head[2] = instruction(LOAD, 0, 0, 0);
        for (int at = 0; at < count; at++) {
            int left = count - 1 - at;
            head[3 + at] = instruction(EQUAL, left, left == 0 ? 1 : 0, unasked.get(at));
        }
        head[3 + count] = instruction(RETURN, 0, 0, Action.ALLOW.returnValue());
        return head;
    }

    private long[] headForDenied() {
        long[] head = {
            instruction(LOAD, 0, 0, ARCHITECTURE),
            instruction(EQUAL, 0, 3, architecture.auditValue()),
            instruction(LOAD, 0, 0, 0),
            instruction(EQUAL, 0, 1, execveat()),
            instruction(RETURN, 0, 0, Action.NOTIFY.returnValue() | OF_THE_HEAD)
        };
        if (traits().installs()) {
            head = new long[] {
                head[0],
                instruction(EQUAL, 0, 7, architecture.auditValue()),
                head[2],
                instruction(EQUAL, 3, 0, execveat()),
                instruction(EQUAL, 0, 4, seccomp()),
                instruction(LOAD, 0, 0, flags()),
                instruction(ANY_BIT, 0, 1, NEW_LISTENER),
                head[4],
                instruction(RETURN, 0, 0, Action.ALLOW.returnValue())
            };
        }
        return LongStream.concat(
                        Arrays.stream(head), Arrays.stream(ListenerGuard.of(this, flags(), traits().installs())))
                .toArray();
    }

    /// Returns where the flags of seccomp(2) stand in `seccomp_data`.
    private int flags() {
        return architecture.byteOrder() == ByteOrder.LITTLE_ENDIAN ? FLAGS : FLAGS + Integer.BYTES;
    }

    private Filter asking(long[] head, Predicate<Action> isAsked) {
        if (!canAsk()) {
            throw new IllegalArgumentException("a listener cannot give the filter's answers about execveat");
        }
        int length = head.length + length();
        if (length > Assembler.MAX_LENGTH) {
            throw new SeccompException(
                    SeccompException.Code.FILTER_TOO_LONG,
                    "the filter has no room for the question; shorten the profile");
        }
        byte[] made = new byte[length * INSTRUCTION];
        ByteBuffer asking = ByteBuffer.wrap(made).order(architecture.byteOrder());
        for (long instruction : head) {
            put(asking, instruction);
        }
        asking.put(bytes);
        for (int index = 0; index < length(); index++) {
            if (bytes[index * INSTRUCTION + lowByte] == RETURN) {
                Action action = Action.ofReturnValue(constant(index));
                if (isAsked.test(action)) {
                    asking.putInt((head.length + index) * INSTRUCTION + CONSTANT, questionAbout(action));
                }
            }
        }
        return new Filter(architecture, made, summary, null);
    }

    /// The kernel asks whatever the data is, so they tell what the filter returned before.
    private static int questionAbout(Action action) {
        int answer = action.kind() != Action.Kind.ERRNO ? PASSES : action.data() == 0 ? NO_ERROR : action.data();
        return Action.NOTIFY.returnValue() | answer;
    }

    /// The filter that gives by itself the answers that a listener gives for this one: for a program that nobody
    /// answers. The same filter where it does not ask; what [#recording] would log passes unlogged.
    public Filter unasking() {
        byte[] made = bytes.clone();
        ByteBuffer plain = ByteBuffer.wrap(made).order(architecture.byteOrder());
        int skipped = headLength();
        for (int index = skipped; index < length(); index++) {
            int value = constant(index);
            if (bytes[index * INSTRUCTION + lowByte] == RETURN && (value & ~DATA) == Action.NOTIFY.returnValue()) {
                plain.putInt(
                        index * INSTRUCTION + CONSTANT, answer(value & DATA).returnValue());
            }
        }
        return new Filter(architecture, Arrays.copyOfRange(made, skipped * INSTRUCTION, made.length), summary, null);
    }

    /// A question of the profile's own, which has no data, fails where nobody answers (seccomp_unotify(2)).
    private static Action answer(int told) {
        return switch (told) {
            case PASSES -> Action.ALLOW;
            case NO_ERROR -> Action.errno(0);
            case 0 -> Action.errno(Action.ENOSYS);
            default -> Action.errno(told);
        };
    }

    /// How much stands before the filter that was there before [#asking] or [#learning].
    private int headLength() {
        int question = Action.NOTIFY.returnValue() | OF_THE_HEAD;
        int head = length() > HEAD && constant(HEAD - 1) == question
                ? HEAD
                : length() > HEAD_WITH_LISTENER && constant(HEAD_WITH_LISTENER - 2) == question
                        ? HEAD_WITH_LISTENER
                        : 0;
        return head == 0 ? 0 : head + ListenerGuard.length(this, head, flags());
    }

    /// True if a listener can give this filter's answers about `execveat`: it can let a call pass and fail
    /// it, and neither kill nor trace.
    public boolean canAsk() {
        return traits().asks();
    }

    /// True if init can start a program under it.
    boolean letsTheProgramStart() {
        return traits().starts();
    }

    /// True if a call installs a filter with a listener of the program's own, which the kernel fails with
    /// EBUSY where the program is under [#asking].
    public boolean isForListener(SeccompData data) {
        return data.arch() == architecture.auditValue()
                && data.number() == seccomp()
                && (data.argument(1) & NEW_LISTENER) != 0;
    }

    /// True if it allows sendmsg(2) of the native ABI whatever the arguments are, with which a program under
    /// [#asking] hands over its listener.
    public boolean letsSendMessages() {
        return allowsByNumber(
                switch (architecture) {
                    case X86_64 -> 46;
                    case AARCH64, RISCV64, LOONGARCH64 -> 211;
                    case S390X -> 370;
                    case PPC64LE -> 341;
                    case X86, X32, ARM -> throw new IllegalArgumentException(architecture + " is no machine's own");
                });
    }

    private boolean allowsByNumber(int number) {
        return Simulator.allowsWithoutArguments(this, SeccompData.of(architecture, number));
    }

    /// Without the table, which a cold command line would have to read for it.
    int execveat() {
        return switch (architecture) {
            case X86_64 -> 322;
            case AARCH64, RISCV64, LOONGARCH64 -> 281;
            case S390X -> 354;
            case PPC64LE -> 362;
            case X86, X32, ARM -> throw new IllegalArgumentException(architecture + " is no machine's own");
        };
    }

    int seccomp() {
        return switch (architecture) {
            case X86_64 -> 317;
            case AARCH64, RISCV64, LOONGARCH64 -> 277;
            case S390X -> 348;
            case PPC64LE -> 358;
            case X86, X32, ARM -> throw new IllegalArgumentException(architecture + " is no machine's own");
        };
    }

    static long instruction(int code, int yes, int no, int constant) {
        return ((long) code << 48) | ((long) yes << 40) | ((long) no << 32) | (constant & 0xffffffffL);
    }

    /// Byte by byte: a cold JVM interprets what reads them, and a buffer has many layers.
    int code(int index) {
        int at = index * INSTRUCTION;
        return (bytes[at + 1 - lowByte] & 0xff) << 8 | (bytes[at + lowByte] & 0xff);
    }

    int jumpIfTrue(int index) {
        return bytes[index * INSTRUCTION + 2] & 0xff;
    }

    int jumpIfFalse(int index) {
        return bytes[index * INSTRUCTION + 3] & 0xff;
    }

    int constant(int index) {
        int at = index * INSTRUCTION + CONSTANT;
        int first = (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
        int second = (bytes[at + 2] & 0xff) << 8 | (bytes[at + 3] & 0xff);
        int big = first << 16 | second;
        return lowByte == 1 ? big : Integer.reverseBytes(big);
    }
}
