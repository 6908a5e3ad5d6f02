package dev.caisson.integration.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.engine.ContainerRunner;
import dev.caisson.engine.Engine;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.ScriptedRunner;
import dev.caisson.engine.Verdict;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

class CaissonAutoConfigurationTest {
    /// A service as applications have them: it asks for a runner.
    record Greeter(ContainerRunner runner) {
        String greet(String name) throws InterruptedException {
            return runner.run(ContainerSpec.of(Image.host(), "echo", "hello " + name))
                    .stdout();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {
        @Bean
        Greeter greeter(ContainerRunner runner) {
            return new Greeter(runner);
        }

        @Bean
        MeterRegistry registry() {
            return new SimpleMeterRegistry();
        }
    }

    @Test
    @Tag("root")
    void an_application_runs_a_program_and_its_run_is_counted(@TempDir Path directory) throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        Engine engine;
        try (ConfigurableApplicationContext context = SpringApplication.run(
                Application.class,
                "--caisson.state=" + directory.resolve("state"),
                "--caisson.data=" + Path.of("/var/lib/caisson-test"),
                "--spring.main.banner-mode=off")) {
            assertThat(context.getBean(Greeter.class).greet("world")).isEqualTo("hello world\n");
            MeterRegistry registry = context.getBean(MeterRegistry.class);
            assertThat(registry.get("caisson.runs")
                            .tag("verdict", "OK")
                            .functionCounter()
                            .count())
                    .isEqualTo(1);
            engine = context.getBean(Engine.class);
        }
        assertThat(engine.containers()).isEmpty();
    }

    @Test
    void a_test_of_a_service_needs_no_root() {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(CaissonAutoConfiguration.class))
                .withBean(
                        ContainerRunner.class,
                        () -> new ScriptedRunner()
                                .then(RunResult.of(Verdict.OK, 0).withOutput("hello you\n", "")))
                .withBean(Greeter.class)
                .run(context -> {
                    assertThat(context.getBean(Greeter.class).greet("you")).isEqualTo("hello you\n");
                    assertThat(context.getBeansOfType(Engine.class)).isEmpty();
                });
    }
}
