package dev.caisson.cli.secret;

import dev.caisson.cli.text.OptionText;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretTerms;
import dev.caisson.secret.SecretValue;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson secret create`: stores a secret.
@Command(
        name = "create",
        sortOptions = false,
        description =
                "Store a secret. Its value comes from standard input, a file, the terminal, a generator or a program.",
        footer = {
            "%nAll bytes are kept as they come, a line end too: use printf, not echo.",
            "%n  printf %%s \"$PASSWORD\" | caisson secret create db-password -",
            "  caisson secret create --label tier=gold --expires 720h tls.key ./key.pem",
            "  caisson secret create --generate session-key",
            "  caisson secret create --expires 1h --from 'command:/usr/bin/pass show db' --bind db-password"
        })
final class SecretCreateCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-l", "--label"},
            paramLabel = "KEY=VALUE",
            description = "Label; may be given several times.")
    private List<String> labels = List.of();

    @Option(
            names = "--expires",
            paramLabel = "DURATION",
            description = "How long each version is handed out, as 12h or 720h (default: without end).")
    private @Nullable String expires;

    @Mixin
    private final AccessOptions access = new AccessOptions();

    @Mixin
    private final NamedValue source = new NamedValue();

    @Override
    public Integer call() {
        SecretName secret = source.name();
        var terms = new SecretTerms(labels(labels), lifetime(expires), access.access(), source.bound());
        try (SecretStore store = Stores.open();
                SecretValue value = source.read(store)) {
            spec.commandLine()
                    .getOut()
                    .println(store.create(secret, value, terms, Stores.user()).id());
        }
        return 0;
    }

    /// Docker's labels: one without a value has an empty one.
    private static Map<String, String> labels(List<String> texts) {
        var labels = new LinkedHashMap<String, String>();
        for (String text : texts) {
            int equals = text.indexOf('=');
            labels.put(equals < 0 ? text : text.substring(0, equals), equals < 0 ? "" : text.substring(equals + 1));
        }
        return labels;
    }

    static Optional<Duration> lifetime(@Nullable String expires) {
        return Optional.ofNullable(expires).map(text -> OptionText.duration("--expires", text));
    }
}
