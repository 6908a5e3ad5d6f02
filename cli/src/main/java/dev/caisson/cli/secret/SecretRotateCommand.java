package dev.caisson.cli.secret;

import dev.caisson.gate.HostTrust;
import dev.caisson.secret.BoundSource;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson secret rotate`: gives a secret a new value.
@Command(
        name = "rotate",
        sortOptions = false,
        description = {
            "Give a secret a new value, as a new version. Earlier ones stay, 16 in all.",
            "Containers that have the secret get it at once."
        },
        footer = {
            "%nA new version expires after the time that the one before had, unless --expires says otherwise.",
            "A secret that is bound to a source is read from there, if nothing else is named.",
            "%n  caisson secret rotate --generate session-key",
            "  caisson secret rotate tls.key ./key.pem",
            "  caisson secret rotate --from 'command:/usr/bin/pass show db' db-password",
            "  caisson secret rotate --from vault://vault.example.com/secret/data/app#password --token-secret vault db-password"
        })
final class SecretRotateCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--expires",
            paramLabel = "DURATION",
            description = "How long the version is handed out, as 12h or 720h.")
    private @Nullable String expires;

    @Mixin
    private final NamedValue source = new NamedValue();

    @Override
    public Integer call() throws InterruptedException {
        SecretName secret = source.name();
        Optional<Duration> lifetime = SecretCreateCommand.lifetime(expires);
        Optional<BoundSource> wanted = source.bound();
        try (SecretStore store = Stores.open()) {
            Optional<BoundSource> before = store.find(secret).source(); // before anybody types a value
            Optional<BoundSource> bound = source.isGiven() ? wanted : before;
            try (SecretValue value = read(store, bound)) {
                SecretRecord changed = store.rotate(secret, value, lifetime, bound, Stores.user());
                spec.commandLine().getOut().println(changed.name() + "@" + changed.current());
                spec.commandLine().getOut().flush();
            }
            if (before.isPresent() && bound.isEmpty()) {
                spec.commandLine()
                        .getErr()
                        .println("caisson: the secret " + secret + " is bound to no source any more: --bind binds it");
            }
            return Updates.deliver(secret, store, spec.commandLine().getErr());
        }
    }

    private SecretValue read(SecretStore store, Optional<BoundSource> bound) {
        return bound.isPresent() ? bound.get().read(store, HostTrust::context, Stores.user()) : source.read(store);
    }
}
