package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The running kernel as the judge: it loads the filter, and decides every number by every way in as the profile says.
/// Needs gcc; makes no call that is carried out, since ALLOW is rewritten to an error number first.
@Tag("root")
class KernelOracleTest {
    /// The error number that stands for the first kind of action; the kernel itself returns none so large.
    private static final int FIRST_STAND_IN = 1000;

    private static final int ARGUMENTS_EACH = 21;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path directory;

    @BeforeAll
    static void compileTheOracle() throws IOException, InterruptedException {
        Path source = directory.resolve("oracle.c");
        Files.writeString(source, Profile.resource("oracle.c"));
        run("gcc", "-O2", "-Wall", "-Werror", "-o", directory.resolve("oracle").toString(), source.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"standard", "standard with compatible ABIs", "strict"})
    void the_kernel_decides_as_the_profile(String name) throws IOException, InterruptedException {
        check(
                switch (name) {
                    case "standard" -> Profile.standard();
                    case "strict" -> Profile.strict();
                    default -> Profile.standard().withCompatibleAbis();
                });
    }

    @Test
    void the_kernel_decides_as_a_profile_of_many_conditions() throws IOException, InterruptedException {
        var random = new Random(20);
        for (int round = 0; round < 12; round++) {
            var rules = new ArrayList<Rule>();
            for (String name : List.of("socket", "ioctl", "mmap", "chmod", "setuid", "clone", "lseek", "prctl")) {
                for (int rule = 0; rule < 4; rule++) {
                    var conditions = new ArrayList<Condition>();
                    for (int condition = 0; condition <= random.nextInt(3); condition++) {
                        conditions.add(randomCondition(random));
                    }
                    rules.add(Rule.of(random.nextBoolean() ? Action.ALLOW : Action.errno(13), conditions, name));
                }
            }
            check(CompilerTest.profileOf(Action.errno(1), rules.toArray(Rule[]::new))
                    .withCompatibleAbis());
        }
    }

    private static Condition randomCondition(Random random) {
        Condition.Operator[] operators = Condition.Operator.values();
        Condition.Operator operator = operators[random.nextInt(operators.length)];
        long value = random.nextBoolean() ? random.nextInt(64) : random.nextLong() >>> random.nextInt(64);
        return new Condition(random.nextInt(3), operator, value, value & random.nextLong());
    }

    static void check(Profile profile) throws IOException, InterruptedException {
        Target target = Calls.target(Architecture.host());
        Filter filter = Compiler.compile(profile, target);
        var evaluator = new ProfileEvaluator(profile, target);
        List<SeccompData> calls = calls(profile);
        List<Integer> decided = ask(filter, calls);
        for (int i = 0; i < calls.size(); i++) {
            assertThat(decided.get(i)).as("%s", calls.get(i)).isEqualTo(standIn(evaluator.decide(calls.get(i))));
        }
    }

    /// Every call that this machine's programs can make, but those that the kernel asks no filter about.
    private static List<SeccompData> calls(Profile profile) {
        var calls = new ArrayList<SeccompData>();
        var random = new Random(3);
        List<Long> boundaries = Calls.boundaries(profile);
        for (SeccompData call : Calls.numbers(Architecture.host())) {
            boolean enterable = call.arch() == Architecture.host().auditValue()
                    || (Architecture.host() == Architecture.X86_64 && call.arch() == Architecture.X86.auditValue());
            boolean asked = call.arch() != Architecture.X86_64.auditValue()
                    || SyscallTable.get()
                            .byNumber(Architecture.X86_64, call.number())
                            .map(Syscall::filterable)
                            .orElse(true);
            if (enterable && asked) {
                calls.addAll(Calls.withArguments(call, boundaries, ARGUMENTS_EACH, random));
            }
        }
        return calls;
    }

    private static List<Integer> ask(Filter filter, List<SeccompData> calls) throws IOException, InterruptedException {
        ByteBuffer input = ByteBuffer.allocate(calls.size() * 56).order(ByteOrder.nativeOrder());
        for (SeccompData call : calls) {
            input.putInt(call.arch() == Architecture.X86.auditValue() ? 1 : 0).putInt(call.number());
            for (int index = 0; index < 6; index++) {
                input.putLong(call.argument(index));
            }
        }
        Path program = Files.write(directory.resolve("filter"), withStandIns(filter));
        Path cases = Files.write(directory.resolve("cases"), input.array());
        Path results = Files.write(directory.resolve("results"), new byte[(calls.size() + 1) * 4]);
        run(directory.resolve("oracle").toString(), program.toString(), cases.toString(), results.toString());
        var output = new ArrayList<Integer>();
        ByteBuffer answers = ByteBuffer.wrap(Files.readAllBytes(results)).order(ByteOrder.nativeOrder());
        for (int i = 0; i < calls.size(); i++) {
            output.add(answers.getInt());
        }
        return output;
    }

    private static byte[] withStandIns(Filter filter) {
        byte[] bytes = filter.bytes();
        ByteBuffer program = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        for (int at = 0; at < bytes.length; at += Filter.INSTRUCTION) {
            if (program.getShort(at) == 0x06) {
                Action action = Action.ofReturnValue(program.getInt(at + 4));
                program.putInt(at + 4, Action.errno(standIn(action)).returnValue());
            }
        }
        return bytes;
    }

    private static int standIn(Action action) {
        return action.kind() == Action.Kind.ERRNO
                ? action.data()
                : FIRST_STAND_IN + List.of(Action.Kind.values()).indexOf(action.kind());
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        if (!process.waitFor(90, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("no answer from " + command[0]);
        }
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.exitValue()).as(output).isZero();
    }
}
