package dev.caisson.cli.secret;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.template.Table;
import dev.caisson.secret.AccessEntry;
import dev.caisson.secret.SecretStore;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson secret log`: who did what with secrets.
@Command(
        name = "log",
        sortOptions = false,
        description = "Show who did what with secrets. A line that was changed, left out or cut off is an error.",
        footer = "%n  caisson secret log db-password")
final class SecretLogCommand implements Callable<Integer> {
    private static final Map<String, String> HEADERS =
            Map.of("Sequence", "NUMBER", "Time", "TIME", "Action", "ACTION", "Secret", "SECRET", "User", "BY");

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-n", "--tail"},
            paramLabel = "NUMBER",
            description = "Only the last lines (default: all that are retained).")
    private @Nullable Integer tail;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "table",
            description =
                    "table, json, an object a line, or a template: '{{.Time}} {{.Action}}' (default: ${DEFAULT-VALUE}).")
    private String format = "table";

    @Parameters(arity = "0..1", paramLabel = "NAME", description = "Only this secret (default: all).")
    private @Nullable String name;

    @Override
    public Integer call() {
        if (tail != null && tail < 0) {
            throw CommandException.usage("--tail takes a number of lines, not " + tail);
        }
        var table = Table.of(format, "{{.Sequence}}\t{{.Time}}\t{{.Action}}\t{{.Secret}}\t{{.User}}", HEADERS);
        try (SecretStore store = Stores.open()) {
            List<AccessEntry> all = store.log().stream().filter(this::isWanted).toList();
            int skipped = tail == null ? 0 : Math.max(0, all.size() - tail);
            table.lines(all.stream().skip(skipped).map(SecretLogCommand::row).toList())
                    .forEach(line -> spec.commandLine().getOut().println(line.stripTrailing()));
        }
        return 0;
    }

    private boolean isWanted(AccessEntry entry) {
        return name == null || entry.secret().equals(name) || entry.secret().startsWith(name + "@");
    }

    private static Map<String, Object> row(AccessEntry entry) {
        var row = new LinkedHashMap<String, Object>();
        row.put("Sequence", entry.sequence());
        row.put("Time", entry.time().toString());
        row.put("Action", entry.action());
        row.put("Secret", entry.secret());
        row.put("User", entry.user());
        return row;
    }
}
