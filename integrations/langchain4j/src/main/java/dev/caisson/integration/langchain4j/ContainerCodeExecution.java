package dev.caisson.integration.langchain4j;

import dev.caisson.engine.ContainerRunner;
import dev.caisson.engine.RunResult;
import dev.caisson.error.ArgumentException;
import dev.caisson.error.CaissonException;
import dev.caisson.spec.ContainerSpec;
import dev.langchain4j.agent.tool.P;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.code.CodeExecutionEngine;
import java.util.function.Function;

/// Runs code that a language model wrote in a container, as LangChain4j's [CodeExecutionEngine] and as a tool for
/// its AI services. A run has no network and ends at the spec's limits.
///
/// ```java
/// var code = ContainerCodeExecution.python(engine, ContainerSpec.of(Image.host()).wallClock(Duration.ofSeconds(10)));
/// var assistant = AiServices.builder(Assistant.class).chatModel(model).tools(code).build();
/// ```
///
/// What the model gets is what the program printed, and how it ended if it failed: a model mends its code by that. It
/// is cut at [#MOST_CHARACTERS].
public final class ContainerCodeExecution implements CodeExecutionEngine {
    /// Most characters of an answer; the middle of a longer one is left out.
    public static final int MOST_CHARACTERS = 16_000;

    private final ContainerRunner runner;
    private final Function<String, ContainerSpec> program;

    /// @param program makes the container of each piece of code
    public ContainerCodeExecution(ContainerRunner runner, Function<String, ContainerSpec> program) {
        this.runner = ArgumentException.present(runner, "runner");
        this.program = ArgumentException.present(program, "program");
    }

    /// Runs Python 3, which the image must have.
    /// @param limits image, limits and whatever else a run shall have; its command is replaced
    public static ContainerCodeExecution python(ContainerRunner runner, ContainerSpec limits) {
        ArgumentException.present(limits, "limits");
        return new ContainerCodeExecution(runner, code -> limits.command("python3", "-I", "-c", code));
    }

    /// The tool: a model calls it by this name with the code as its argument.
    @Tool(name = "run_python", value = "Runs Python 3 code in a sandbox without network and returns what it prints")
    public String runPython(@P("Python source code; print what you want to see") String code) {
        return execute(code);
    }

    @Override
    public String execute(String code) {
        try {
            return answer(runner.run(program.apply(code)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "the run was interrupted";
        } catch (CaissonException e) {
            if (e.httpStatus() >= 500) { // not the model's to mend
                throw e;
            }
            return "not run: " + e.code() + ": " + e.sentence();
        }
    }

    private static String answer(RunResult result) {
        var text = new StringBuilder(result.stdout());
        if (!result.stderr().isEmpty()) {
            text.append(text.isEmpty() || text.charAt(text.length() - 1) == '\n' ? "" : "\n")
                    .append(result.stderr());
        }
        String said = shortened(text.toString());
        return result.isOk()
                ? said
                : said + "\nended with " + result.verdict() + ", exit status " + result.exitStatus();
    }

    private static String shortened(String text) {
        if (text.length() <= MOST_CHARACTERS) {
            return text;
        }
        int half = MOST_CHARACTERS / 2;
        int from = Character.isHighSurrogate(text.charAt(half - 1)) ? half - 1 : half;
        int end = text.length() - half;
        int to = Character.isLowSurrogate(text.charAt(end)) ? end + 1 : end;
        return text.substring(0, from) + "\n… " + (to - from) + " characters left out …\n" + text.substring(to);
    }
}
