package dev.caisson.cli.secret;

import dev.caisson.cli.template.Table;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson secret ls`: the secrets.
@Command(
        name = "ls",
        sortOptions = false,
        description = "List secrets, without their values.",
        footer = {
            "%n  caisson secret ls --filter label=tier=gold",
            "  caisson secret ls --format '{{.Name}} {{.Expires}}'"
        })
final class SecretListCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-q", "--quiet"},
            description = "Ids alone.")
    private boolean quiet;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "table",
            description =
                    "table, json, an object a line, or a template: 'table {{.ID}}\\t{{.Name}}' (default: ${DEFAULT-VALUE}).")
    private String format = "table";

    @Option(
            names = {"-f", "--filter"},
            paramLabel = "KEY=VALUE",
            description = "Only those with label=KEY[=VALUE], name=BEGINNING or id=BEGINNING.")
    private List<String> filters = List.of();

    @Override
    public Integer call() {
        SecretFilter filter = SecretFilter.parse(filters);
        Table table = Table.of(format.isEmpty() ? "table" : format, SecretRow.TABLE, SecretRow.HEADERS);
        try (SecretStore store = Stores.open()) {
            List<SecretRecord> found =
                    store.list().stream().filter(filter::accepts).toList();
            PrintWriter out = spec.commandLine().getOut();
            Instant now = Instant.now();
            if (quiet) {
                found.forEach(secret -> out.println(secret.id()));
            } else {
                table.lines(found.stream()
                                .map(secret -> SecretRow.texts(secret, now))
                                .toList())
                        .forEach(line -> out.println(line.stripTrailing()));
            }
        }
        return 0;
    }
}
