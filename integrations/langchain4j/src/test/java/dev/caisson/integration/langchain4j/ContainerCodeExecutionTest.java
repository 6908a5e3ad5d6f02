package dev.caisson.integration.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineException;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.ScriptedRunner;
import dev.caisson.engine.Verdict;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.service.AiServices;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContainerCodeExecutionTest {
    private static final ContainerSpec LIMITS =
            ContainerSpec.of(Image.host()).wallClock(Duration.ofSeconds(20)).pids(16);

    interface Assistant {
        String chat(String question);
    }

    /// Calls the tool once and then repeats what it got: a model as far as a tool can tell.
    private record OneCall(String code) implements ChatModel {
        @Override
        public ChatResponse doChat(ChatRequest request) {
            var last = request.messages().getLast();
            AiMessage answer = last instanceof ToolExecutionResultMessage result
                    ? AiMessage.from("the tool said " + result.text())
                    : AiMessage.from(ToolExecutionRequest.builder()
                            .id("1")
                            .name("run_python")
                            .arguments("{\"code\": \"" + code + "\"}")
                            .build());
            return ChatResponse.builder().aiMessage(answer).build();
        }
    }

    @Test
    @Tag("root")
    void a_service_runs_a_models_code_in_a_container(@TempDir Path directory) throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        try (Engine engine =
                Engine.open(new EngineOptions(directory.resolve("state"), Path.of("/var/lib/caisson-test")))) {
            var code = ContainerCodeExecution.python(engine, LIMITS);
            Assistant assistant = AiServices.builder(Assistant.class)
                    .chatModel(new OneCall("import os; print(6 * 7, os.getpid() < 100, os.listdir('/home'))"))
                    .tools(code)
                    .build();

            assertThat(assistant.chat("what is 6 times 7?")).isEqualTo("the tool said 42 True []\n");
            assertThat(code.execute("import urllib.request as u; u.urlopen('http://192.0.2.1', timeout=3)"))
                    .contains("ended with EXIT, exit status 1", "URLError");
        }
    }

    @Test
    void the_model_is_told_how_its_code_failed() {
        var runner =
                new ScriptedRunner().then(RunResult.of(Verdict.OUT_OF_MEMORY, 1).withOutput("a", "Killed\n"));
        assertThat(ContainerCodeExecution.python(runner, LIMITS).execute("x = 1"))
                .isEqualTo("a\nKilled\n\nended with OUT_OF_MEMORY, exit status 1");
        assertThat(runner.specs().getFirst().command()).containsExactly("python3", "-I", "-c", "x = 1");
    }

    @Test
    void a_long_answer_is_cut_in_the_middle() {
        var runner = new ScriptedRunner().then(RunResult.of(Verdict.OK, 0).withOutput("x".repeat(100_000), ""));
        assertThat(ContainerCodeExecution.python(runner, LIMITS).execute(""))
                .contains("84000 characters left out")
                .hasSizeLessThan(17_000);
    }

    @Test
    void no_character_is_cut_in_two() {
        for (String before : List.of("", "x")) {
            var runner = new ScriptedRunner()
                    .then(RunResult.of(Verdict.OK, 0).withOutput(before + "\ud83d\ude00".repeat(20_000), ""));
            String said = ContainerCodeExecution.python(runner, LIMITS).execute("");
            assertThat(StandardCharsets.UTF_8.newEncoder().canEncode(said)).isTrue();
            assertThat(said).contains("characters left out").hasSizeLessThan(17_000);
        }
    }

    @Test
    void a_broken_engine_is_not_the_models_to_mend() {
        var runner =
                new ScriptedRunner().fail(new EngineException("ENGINE_CLOSED", "the engine is closed: open another"));
        assertThatExceptionOfType(CaissonException.class)
                .isThrownBy(() -> ContainerCodeExecution.python(runner, LIMITS).execute(""));
    }
}
