package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.codegen.docgen.manpage.ManPageGenerator;

/// Writes the manual pages: one of AsciiDoc a command, in `target/manual`; `asciidoctor -b manpage` makes roff of them.
class ManualPagesTest {
    private static final Path PAGES = Path.of("target/manual");

    @Test
    void every_command_has_a_page_with_its_options() throws IOException {
        var commands = new ArrayList<CommandSpec>();
        add(commands, Main.commandLine());
        Files.createDirectories(PAGES);
        int status = ManPageGenerator.generateManPage(
                PAGES.toFile(), null, new boolean[0], true, commands.toArray(CommandSpec[]::new));
        assertThat(status).isZero();

        for (CommandSpec command : commands) {
            Path page = PAGES.resolve(command.qualifiedName("-") + ".adoc");
            assertThat(page).exists();
            List<String> options = command.options().stream()
                    .filter(option -> !option.hidden() && !option.negatable())
                    .map(option -> option.longestName())
                    .toList();
            assertThat(Files.readString(page)).contains(options);
        }
        assertThat(PAGES.resolve("caisson-seccomp-compile.adoc")).exists();
        assertThat(PAGES.resolve("caisson-plan-run.adoc")).content().contains("--memory-reservation");
    }

    private static void add(List<CommandSpec> commands, CommandLine line) {
        if (!line.getCommandSpec().usageMessage().hidden()) {
            commands.add(line.getCommandSpec());
            line.getSubcommands().values().forEach(child -> add(commands, child));
        }
    }
}
