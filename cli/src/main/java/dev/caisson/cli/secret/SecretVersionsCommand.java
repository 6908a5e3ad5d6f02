package dev.caisson.cli.secret;

import dev.caisson.cli.template.Table;
import dev.caisson.cli.text.AgeText;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretVersion;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson secret versions`: the versions of a secret.
@Command(
        name = "versions",
        sortOptions = false,
        description = "List the versions of a secret, the newest first; the one that is handed out is marked.",
        footer = "%n  caisson secret versions db-password")
final class SecretVersionsCommand implements Callable<Integer> {
    private static final Map<String, String> HEADERS = Map.of(
            "Version",
            "VERSION",
            "Current",
            "CURRENT",
            "Created",
            "CREATED",
            "CreatedAt",
            "CREATED AT",
            "Expires",
            "EXPIRES");

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "table",
            description =
                    "table, json, an object a line, or a template: '{{.Version}} {{.CreatedAt}}' (default: ${DEFAULT-VALUE}).")
    private String format = "table";

    @Parameters(paramLabel = "NAME", description = "Secret.")
    private String name = "";

    @Override
    public Integer call() {
        var table = Table.of(format, "{{.Version}}\t{{.Current}}\t{{.Created}}\t{{.Expires}}", HEADERS);
        try (SecretStore store = Stores.open()) {
            SecretRecord secret = store.find(new SecretName(name));
            Instant now = Instant.now();
            table.lines(secret.versions().reversed().stream()
                            .map(version -> row(secret, version, now))
                            .toList())
                    .forEach(line -> spec.commandLine().getOut().println(line.stripTrailing()));
        }
        return 0;
    }

    private static Map<String, Object> row(SecretRecord secret, SecretVersion version, Instant now) {
        var row = new LinkedHashMap<String, Object>();
        row.put("Version", version.number());
        row.put("Current", version.number() == secret.current() ? "*" : "");
        row.put("Created", AgeText.of(version.created(), now) + " ago");
        row.put("CreatedAt", version.created().toString());
        row.put("Expires", SecretRow.expires(version, now));
        return row;
    }
}
