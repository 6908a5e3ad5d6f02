package dev.caisson.cli.secret;

import dev.caisson.cli.caller.Caller;
import dev.caisson.engine.EngineOptions;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson secret canary`: shows on this host that no value gets out.
@Command(
        name = "canary",
        sortOptions = false,
        description = {
            "Take a random value through its life on this host: store, run, create, start, exec, logs, inspect, update, snapshot, "
                    + "layer, restart, stop, rm. After each step it is looked for, in all its forms, in the state and data "
                    + "directories, the journal, logs of the host and the variables and arguments of all processes.",
            "A container sends it through a gate to a server of the command's own, on a network that is removed again, and is "
                    + "searched: the memory of its processes and its files.",
            "Leaks made on purpose must be caught, or the search proves nothing. The status is 1 if anything is wrong."
        },
        footer = {"%n  caisson secret canary", "  caisson secret canary --also /tmp --also /srv"})
final class SecretCanaryCommand implements Callable<Integer> {
    private static final List<Path> OF_THE_HOST =
            List.of(Path.of("/var/log"), Path.of("/run/log"), Path.of("/var/tmp"), Path.of("/tmp"));
    private static final int SIZE = 43;
    private static final String NETWORK = "CAISSON_NETWORK";

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--also",
            paramLabel = "DIRECTORY",
            description = "Look there too, at files written meanwhile; may be given several times.")
    private List<Path> also = List.of();

    @Override
    public Integer call() throws InterruptedException {
        Caller caller = Caller.current();
        EngineOptions options = caller.directories();
        var places = new ArrayList<>(List.of(options.data(), options.state()));
        places.addAll(OF_THE_HOST);
        also.forEach(path -> places.add(caller.absolute(path).orElse(path)));
        Instant since = Instant.now().minusSeconds(1);
        try (SecretStore store = Stores.open();
                SecretValue value = SecretValue.generate(SIZE);
                var search = new CanarySearch(value, since);
                var lease = caller.engine()) {
            var life = new CanaryLife(lease.engine(), options, name(), value, search, places);
            boolean networks = !caller.variable(NETWORK).filter("none"::equals).isPresent();
            life.live(store, Stores.user(), networks);
            return report(life, search);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static SecretName name() {
        return new SecretName("canary-" + Long.toHexString(System.nanoTime()));
    }

    private int report(CanaryLife life, CanarySearch search) {
        PrintWriter out = spec.commandLine().getOut();
        life.leaks().forEach(leak -> out.println("leak     " + leak));
        life.controls().forEach((control, caught) -> out.println((caught ? "caught   " : "MISSED   ") + control));
        life.skipped().forEach(part -> out.println("skipped  " + part));
        out.println("searched " + search.files() + " files and " + search.processes() + " processes, "
                + search.bytes() / 1_000_000 + " MB: the value was found in "
                + life.leaks().size() + " places");
        return life.leaks().isEmpty() && life.controls().values().stream().allMatch(caught -> caught) ? 0 : 1;
    }
}
