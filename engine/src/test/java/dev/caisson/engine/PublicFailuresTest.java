package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.image.ProgressListener;
import dev.caisson.linux.ErrnoException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Limits;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.TerminalSize;
import dev.caisson.spec.WorkspaceName;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whatever a caller of the engine does, and whatever the kernel refuses, he gets coded exceptions alone.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class PublicFailuresTest {
    private static final ContainerSpec SPEC = ContainerSpec.of(Image.host(), "true");
    private static final Map<Class<?>, Object> SAMPLES = Map.ofEntries(
            Map.entry(ContainerSpec.class, SPEC),
            Map.entry(Streams.class, Streams.capture()),
            Map.entry(ProgressListener.class, ProgressListener.none()),
            Map.entry(Consumer.class, (Consumer<Object>) ignored -> {}),
            Map.entry(Limits.class, Limits.defaults()),
            Map.entry(Duration.class, Duration.ofMillis(1)),
            Map.entry(EngineOptions.class, EngineOptions.standard()),
            Map.entry(DetachedOptions.class, DetachedOptions.STANDARD),
            Map.entry(Exec.class, Exec.of("true")),
            Map.entry(WorkspaceName.class, new WorkspaceName("none")),
            Map.entry(String.class, "/none"),
            Map.entry(TerminalSize.class, new TerminalSize(24, 80)),
            Map.entry(Bytes.class, Bytes.mebibytes(1)),
            Map.entry(CopyOptions.class, CopyOptions.STANDARD),
            Map.entry(Path.class, Path.of("/nowhere")),
            Map.entry(byte[].class, new byte[0]),
            Map.entry(InputStream.class, InputStream.nullInputStream()),
            Map.entry(OutputStream.class, OutputStream.nullOutputStream()),
            Map.entry(boolean.class, true),
            Map.entry(OptionalInt.class, OptionalInt.empty()),
            Map.entry(OptionalLong.class, OptionalLong.empty()),
            Map.entry(Optional.class, Optional.empty()),
            Map.entry(UnaryOperator.class, UnaryOperator.identity()),
            Map.entry(Egress.class, Egress.none()),
            Map.entry(NetworkEndpoint.class, NetworkEndpoint.on("none")),
            Map.entry(BooleanSupplier.class, (BooleanSupplier) () -> false),
            Map.entry(int.class, 0));

    @Test
    void null_is_refused_with_a_code(@TempDir Path directory) throws Exception {
        try (var engine = open(directory)) {
            Container container = engine.start(ContainerSpec.of(Image.host(), "sleep", "60"), Streams.capture());
            Session session = engine.session(ContainerSpec.onHost());
            DetachedContainer detached = engine.create(SPEC, DetachedOptions.STANDARD);
            Attachment attachment = detached.attachBeforeStart();
            List<Object> targets = List.of(
                    detached,
                    detached.networks(),
                    attachment,
                    engine,
                    container,
                    session,
                    session.files(),
                    engine.workspaces(),
                    engine.volumes(),
                    engine.snapshots());
            for (Object target : targets) {
                for (Method method : publicMethods(target)) {
                    for (int i = 0; i < method.getParameterCount(); i++) {
                        if (!method.getParameterTypes()[i].isPrimitive()) {
                            Object[] arguments = arguments(method);
                            arguments[i] = null;
                            assertThat(failure(target, method, arguments))
                                    .as("%s with null at %s", method, i)
                                    .isInstanceOfSatisfying(
                                            CaissonException.class,
                                            e -> assertThat(e.code()).isIn("ARGUMENT_MISSING", "ARGUMENT_INVALID"));
                        }
                    }
                }
            }
            attachment.close();
            detached.remove(true);
        }
    }

    @Test
    void every_method_of_an_ended_container_and_of_a_closed_engine_answers_or_fails_with_a_code(@TempDir Path directory)
            throws Exception {
        Engine engine = open(directory);
        Container container = engine.start(SPEC, Streams.capture());
        container.await();
        assertCoded(container);
        engine.close();
        assertCoded(container);
        assertCoded(engine);
    }

    private static void assertCoded(Object target) {
        for (Method method : publicMethods(target)) {
            Throwable failure = failure(target, method, arguments(method));
            if (failure != null) {
                assertThat(failure).as("%s", method).isInstanceOf(CaissonException.class);
            }
        }
    }

    @Test
    void what_the_kernel_and_the_jdk_throw_gets_a_code() {
        assertThat(Failures.coded(new ErrnoException("openat2 x", 28)))
                .isInstanceOf(EngineException.class)
                .hasMessage("the kernel refused openat2 x with ENOSPC: free space or inodes, or raise the limit of this"
                        + " file system or kernel object")
                .extracting(CaissonException::code)
                .isEqualTo("KERNEL_REFUSED");
        assertThat(Failures.coded(new RejectedExecutionException()).code()).isEqualTo("ENGINE_CLOSED");
        assertThat(Failures.coded(new NullPointerException("x")))
                .hasRootCauseInstanceOf(NullPointerException.class)
                .extracting(CaissonException::code)
                .isEqualTo("INTERNAL");
    }

    /// Runs a program when all open files but a few are taken, and once more when they are free again.
    static final class FewFiles {
        public static void main(String[] arguments) throws Exception {
            var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
            boolean warm = Boolean.parseBoolean(arguments[4]);
            try (var engine = Engine.open(options)) {
                if (warm) {
                    engine.run(SPEC); // the JVM opens files itself, for classes
                }
                ContainerSpec spec = SPEC;
                var taken = new ArrayDeque<FileInputStream>();
                takeAll(taken);
                for (int i = 0; i < Integer.parseInt(arguments[3]); i++) {
                    taken.pop().close();
                }
                String said = outcome(engine, spec);
                for (FileInputStream file : taken) {
                    file.close();
                }
                System.out.println(said + ", then " + outcome(engine, spec));
            }
        }

        private static void takeAll(ArrayDeque<FileInputStream> taken) {
            try {
                while (true) {
                    taken.push(new FileInputStream("/dev/null"));
                }
            } catch (IOException e) {
                // that was the last one
            }
        }

        private static String outcome(Engine engine, ContainerSpec spec) throws InterruptedException {
            try {
                return engine.run(spec).verdict().name();
            } catch (CaissonException e) {
                return e.code();
            } catch (RuntimeException | Error e) {
                return "raw " + e;
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "2", "4", "8", "12", "14", "15", "18"})
    void running_out_of_open_files_has_a_code_and_passes(String free, @TempDir Path directory) throws IOException {
        var options = new EngineOptions(directory.resolve("state"), Path.of("/var/lib/caisson-test"));
        List<String> lines = new EngineProcess(FewFiles.class, options, directory, List.of(free, "true"))
                .withOpenFiles(256)
                .lines();
        assertThat(lines).hasSize(1);
        assertThat(lines.getFirst()).matches("(OK|OPEN_FILES), then OK");
    }

    /// A class that the JVM could not load is never loaded later.
    @ParameterizedTest
    @ValueSource(strings = {"1", "2", "3", "5", "10", "20"})
    void a_class_that_cannot_be_loaded_for_want_of_open_files_has_a_code(String free, @TempDir Path directory)
            throws IOException {
        var options = new EngineOptions(directory.resolve("state"), Path.of("/var/lib/caisson-test"));
        List<String> lines = new EngineProcess(FewFiles.class, options, directory, List.of(free, "false"))
                .withOpenFiles(256)
                .lines();
        assertThat(lines).hasSize(1);
        assertThat(lines.getFirst()).matches("(OK|OPEN_FILES), then (OK|OPEN_FILES)");
    }

    private static Engine open(Path directory) throws IOException {
        return Engine.open(new EngineOptions(
                Files.createDirectories(directory).resolve("state"), Path.of("/var/lib/caisson-test")));
    }

    private static List<Method> publicMethods(Object target) {
        return Arrays.stream(target.getClass().getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
                .filter(method -> !Modifier.isStatic(method.getModifiers()))
                .filter(method -> !method.getName().equals("close"))
                .filter(method -> Stream.of(method.getParameterTypes()).allMatch(SAMPLES::containsKey))
                .toList();
    }

    private static @Nullable Object[] arguments(Method method) {
        return Arrays.stream(method.getParameterTypes()).map(SAMPLES::get).toArray();
    }

    private static @Nullable Throwable failure(Object target, Method method, @Nullable Object[] arguments) {
        Throwable failure = catchThrowable(() -> method.invoke(target, arguments));
        return failure instanceof InvocationTargetException thrown ? thrown.getCause() : failure;
    }
}
