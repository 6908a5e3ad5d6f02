package dev.caisson.cli.secret;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.engine.Container;
import dev.caisson.engine.EngineException;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.GateCanary;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.Streams;
import dev.caisson.image.Image;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SecretFile;
import dev.caisson.state.LogReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/// A container that uses the canary's value by a gate: it is looked for in the memory of all its processes and in all
/// its files. One that is given the value is the control.
final class CanaryGate {
    /// Asks, retains the answer in memory and in a file, prints it, and waits.
    private static final String ASKS = """
            if command -v curl >/dev/null; then got=$(curl -s -S -i -m 30 "$URL" 2>&1)
            elif command -v python3 >/dev/null; then got=$(python3 -I -c 'import os, urllib.request
            answer = urllib.request.urlopen(os.environ["URL"], timeout=30)
            print(answer.headers, answer.read().decode())' 2>&1)
            else echo no-client; exec sleep 600
            fi
            echo "$got" >/tmp/got; echo "$got"; echo asked; while :; do sleep 60; done
            """;

    private static final String READS =
            "got=$(cat /run/secrets/canary); echo \"$got\" >/tmp/got; echo asked; while :; do sleep 60; done";

    private static final String NO_CLIENT = "no-client";
    private static final String ASKED = "asked";
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long PAUSE_MILLIS = 20;

    /// Result of a search.
    ///
    /// @param leaks places where the value was found in the container that never has it
    /// @param inMemory whether it was found in the memory of the one that was given it
    /// @param inFiles whether it was found in its files
    record Seen(List<String> leaks, boolean inMemory, boolean inFiles) {}

    private final EngineOptions options;
    private final SecretName name;
    private final SecretValue value;
    private final CanarySearch search;

    CanaryGate(EngineOptions options, SecretName name, SecretValue value, CanarySearch search) {
        this.options = options;
        this.name = name;
        this.value = value;
        this.search = search;
    }

    /// Returns what was seen; nothing if something is absent that a gate needs, which `skipped` gets.
    Optional<Seen> look(List<String> skipped) throws IOException, InterruptedException {
        try (GateCanary gate = GateCanary.open(options, name.text(), value)) {
            return look(gate, skipped);
        } catch (EngineException e) {
            if (!e.code().equals("NETWORK_UNAVAILABLE")) {
                throw e;
            }
            skipped.add("the gate: " + e.sentence());
            return Optional.empty();
        }
    }

    private Optional<Seen> look(GateCanary gate, List<String> skipped) throws IOException, InterruptedException {
        var leaks = new ArrayList<String>();
        Streams streams = Streams.capture().kept();
        try (Container container =
                gate.start(spec(ASKS).environment("URL", gate.url()).name(name.text()), name, streams)) {
            String output = output(NO_CLIENT);
            if (output.contains(NO_CLIENT)) {
                skipped.add("the gate: neither curl nor python3 is in the host's directories");
                return Optional.empty();
            }
            if (!gate.wasSent() || !output.contains("200")) {
                throw new CommandException(
                        "CANARY_FAILED",
                        1,
                        "the canary's request did not get to its server with the value, so nothing is proven: look at"
                                + " 'caisson events'");
            }
            search.in(output.getBytes(StandardCharsets.UTF_8))
                    .forEach(form -> leaks.add("the output, " + form.words()));
            search.inMemory(container.pid()).forEach(leaks::add);
            search.files(root(container)).forEach(leaks::add);
        } finally {
            KeptContainer.find(name.text(), options).remove();
        }
        ContainerSpec given = spec(READS)
                .mount(new Mount.Secrets(List.of(SecretFile.of(name.text()).file("canary"))))
                .name(name.text());
        try (Container container = gate.start(given, name, streams)) {
            String _ = output(ASKED);
            return Optional.of(new Seen(
                    leaks,
                    !search.inMemory(container.pid()).isEmpty(),
                    search.files(root(container)).stream().anyMatch(found -> found.contains("/tmp/got "))));
        } finally {
            KeptContainer.find(name.text(), options).remove();
        }
    }

    private static ContainerSpec spec(String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script);
    }

    private static Path root(Container container) {
        return Path.of("/proc/" + container.pid() + "/root/."); // what the link leads to
    }

    /// Returns the log, as soon as the program has asked, or has said another word.
    private String output(String word) throws InterruptedException {
        long begun = System.nanoTime();
        String log = log();
        while (!log.contains(ASKED) && !log.contains(word)) {
            if (System.nanoTime() - begun > PATIENCE_NANOS) {
                throw new CommandException(
                        "CANARY_FAILED", 1, "the canary's program does not end its request, so nothing is proven");
            }
            Thread.sleep(PAUSE_MILLIS);
            log = log();
        }
        return log;
    }

    private String log() throws InterruptedException {
        var text = new StringBuilder();
        try (LogReader log = KeptContainer.find(name.text(), options).log(OptionalLong.empty())) {
            for (var next = log.next(); !next.isEmpty(); next = log.next()) {
                next.forEach(entry -> text.append(entry.text()));
            }
        }
        return text.toString();
    }
}
