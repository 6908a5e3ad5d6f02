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
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/// Gives test methods, constructors and lifecycle methods an engine as a parameter of type [Engine] or
/// [ContainerRunner]. One engine serves the whole test run, on directories of its own, and is closed at its end. What a
/// test leaves running is killed after it.
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
/// Tests that use the extension must not run concurrently: each would end the other's containers.
public final class CaissonExtension implements ExecutionCondition, ParameterResolver, AfterEachCallback {
    /// Configuration parameter: `true` makes tests fail where no engine can be opened.
    public static final String REQUIRED = "caisson.required";

    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(CaissonExtension.class);

    /// The engine of a test run, or why there is none.
    private static final class Shared implements AutoCloseable {
        private final Path directory;
        private final Engine engine;

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
            engine(context);
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
        return engine(context);
    }

    @Override
    public void afterEach(ExtensionContext context) throws InterruptedException {
        List<Container> left = engine(context).containers();
        left.forEach(Container::kill);
        for (Container container : left) {
            container.await();
        }
    }

    /// The store of the root closes it with the test run.
    private static Engine engine(ExtensionContext context) {
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
                        Shared.class)
                .engine;
    }
}
