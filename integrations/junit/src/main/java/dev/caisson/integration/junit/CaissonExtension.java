package dev.caisson.integration.junit;

import dev.caisson.engine.Container;
import dev.caisson.engine.ContainerRunner;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.error.CaissonException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/// Gives test methods, constructors and lifecycle methods an engine as a parameter of type [Engine] or
/// [ContainerRunner]. One engine serves the whole test run, on directories of its own, and is closed at its end. What a
/// test leaves running is killed after it; what was there before the test, such as a container of `@BeforeAll`, is
/// killed after the last test of the class.
///
/// ```java
/// @ExtendWith(CaissonExtension.class)
/// class ScriptTest {
///     @Test
///     void runs(Engine engine) throws InterruptedException {
///         assertTrue(engine.run(ContainerSpec.of(Image.host(), "true")).isOk());
///     }
/// }
/// ```
///
/// Where no engine can be opened, such as without root, the tests are skipped and the reason is shown. With the
/// configuration parameter `caisson.required=true` they fail instead, so that a build server cannot skip them unseen.
///
/// Tests may run concurrently: what they leave is killed once none of them runs, and where classes run concurrently,
/// once none of these does.
public final class CaissonExtension
        implements ExecutionCondition,
                ParameterResolver,
                BeforeAllCallback,
                BeforeEachCallback,
                AfterEachCallback,
                AfterAllCallback {
    /// Configuration parameter: `true` makes tests fail where no engine can be opened.
    public static final String REQUIRED = "caisson.required";

    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(CaissonExtension.class);

    /// The engine of a test run, or why there is none.
    private static final class Shared implements AutoCloseable {
        private final Path directory;
        private final Engine engine;
        private int classes;
        private int tests;
        private List<Container> before = List.of();

        Shared() throws IOException {
            directory = Files.createTempDirectory(
                    "caisson-junit",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            try {
                engine = Engine.open(new EngineOptions(directory.resolve("state"), directory.resolve("data")));
            } catch (RuntimeException e) {
                delete(directory);
                throw e;
            }
        }

        synchronized void classBegins() {
            classes++;
        }

        synchronized void testBegins() {
            if (tests == 0) {
                before = engine.containers();
            }
            tests++;
        }

        /// Returns the containers that are nobody's any more. Nobody can tell who started a container, so there are
        /// none
        /// while another test or another class runs, which may need them.
        synchronized List<Container> testEnds() {
            tests--;
            if (tests > 0 || classes > 1) {
                return List.of();
            }
            return engine.containers().stream()
                    .filter(container -> !before.contains(container))
                    .toList();
        }

        synchronized List<Container> classEnds() {
            classes--;
            return classes > 0 ? List.of() : engine.containers();
        }

        @Override
        public void close() throws IOException {
            engine.close();
            delete(directory);
        }

        private static void delete(Path directory) throws IOException {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        if (context.getConfigurationParameter(REQUIRED).map(Boolean::valueOf).orElse(false)) {
            return ConditionEvaluationResult.enabled(REQUIRED + " is set");
        }
        try {
            shared(context);
            return ConditionEvaluationResult.enabled("an engine is open");
        } catch (CaissonException e) {
            return ConditionEvaluationResult.disabled(e.code() + ": " + e.sentence());
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        return type == Engine.class || type == ContainerRunner.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return shared(context).engine;
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        if (context.getEnclosingTestClasses().isEmpty()) {
            shared(context).classBegins();
        }
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        shared(context).testBegins();
    }

    @Override
    public void afterEach(ExtensionContext context) throws InterruptedException {
        kill(shared(context).testEnds());
    }

    @Override
    public void afterAll(ExtensionContext context) throws InterruptedException {
        if (context.getEnclosingTestClasses().isEmpty()) {
            kill(shared(context).classEnds());
        }
    }

    private static void kill(List<Container> left) throws InterruptedException {
        left.forEach(Container::kill);
        for (Container container : left) {
            container.await();
        }
    }

    /// The store of the root closes it with the test run.
    private static Shared shared(ExtensionContext context) {
        return context.getRoot()
                .getStore(NAMESPACE)
                .computeIfAbsent(
                        Shared.class,
                        key -> {
                            try {
                                return new Shared();
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        },
                        Shared.class);
    }
}
