package dev.caisson.cli.secret;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.DetachedOptions;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Exec;
import dev.caisson.engine.ExecResult;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.SecretUpdate;
import dev.caisson.engine.Snapshots;
import dev.caisson.engine.Streams;
import dev.caisson.image.Image;
import dev.caisson.image.Snapshot;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SecretFile;
import dev.caisson.spec.SpecJson;
import dev.caisson.state.LogReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/// The life of a random value on this host, from its creation to its removal, and what was found of it on the way.
final class CanaryLife {
    /// Prints it in several ways, and waits.
    private static final String PRINTS =
            "cat /run/secrets/canary; echo; base64 -w 0 /run/secrets/canary; echo; cat /run/secrets/canary >&2;"
                    + " echo > /tmp/canary.txt; echo printed; ";

    private static final String WAITS = "exec sleep 600";
    /// With the lease no container stays where the canary itself is killed.
    private static final DetachedOptions IN_BACKGROUND = DetachedOptions.STANDARD.lease(Duration.ofMinutes(10));

    private final Engine engine;
    private final EngineOptions options;
    private final SecretName name;
    private final SecretValue value;
    private final CanarySearch search;
    private final List<Path> places;
    private final List<String> leaks = new ArrayList<>();
    private final Map<String, Boolean> controls = new LinkedHashMap<>();
    private final List<String> skipped = new ArrayList<>();

    CanaryLife(
            Engine engine,
            EngineOptions options,
            SecretName name,
            SecretValue value,
            CanarySearch search,
            List<Path> places) {
        this.engine = engine;
        this.options = options;
        this.name = name;
        this.value = value;
        this.search = search;
        this.places = places;
    }

    /// Returns the places where the value was found and must not be.
    List<String> leaks() {
        return leaks;
    }

    /// Returns, for each leak that was made on purpose, whether the search has caught it.
    Map<String, Boolean> controls() {
        return controls;
    }

    /// Returns parts of the life that something is absent for.
    List<String> skipped() {
        return skipped;
    }

    /// @param networks whether containers may have networks here
    void live(SecretStore store, String user, boolean networks) throws InterruptedException, IOException {
        store.create(name, value, Map.of(), Optional.empty(), user);
        try {
            look("created");
            foreground();
            background(store, user);
            variable();
            if (networks) {
                gate();
            } else {
                skipped.add("the gate: CAISSON_NETWORK is none");
            }
        } finally {
            store.remove(name, user);
        }
        look("removed from the store");
        file();
        argument();
    }

    private void look(String step) throws IOException {
        for (Path place : places) {
            search.files(place).forEach(found -> leaks.add(step + ": " + found));
        }
        search.ofProcesses().forEach(found -> leaks.add(step + ": " + found));
    }

    private void look(String step, String what, String text) {
        try (var stream = search.stream()) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            stream.write(bytes, 0, bytes.length);
            stream.forms().forEach(form -> leaks.add(step + ": " + what + " has it, " + form.words()));
        } catch (IOException e) {
            throw new IllegalStateException("memory threw", e);
        }
    }

    private ContainerSpec spec(SecretFile file, String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script).mount(new Mount.Secrets(List.of(file)));
    }

    private SecretFile file(String target) {
        return SecretFile.of(name.text()).file(target);
    }

    private void foreground() throws InterruptedException, IOException {
        RunResult result = engine.run(
                spec(file("canary"), PRINTS).name(name.text()),
                Streams.capture().kept());
        try {
            requirePrinted(result.stdout());
            look("run", "the log", log());
            look("run");
        } finally {
            KeptContainer.find(name.text(), options).remove();
        }
    }

    /// Refuses a program that has not printed the value: then nothing could leak, and the search would prove nothing.
    private static void requirePrinted(String output) {
        if (!output.contains("printed")) {
            throw new CommandException(
                    "CANARY_FAILED",
                    1,
                    "the canary's program did not print its secret, so nothing is proven: it needs sh, cat and base64 in"
                            + " the host's directories");
        }
    }

    private void gate() throws InterruptedException, IOException {
        Optional<CanaryGate.Seen> seen = new CanaryGate(options, name, value, search).look(skipped);
        if (seen.isPresent()) {
            seen.get().leaks().forEach(leak -> leaks.add("gate: " + leak));
            controls.put("the memory of a container that has it", seen.get().inMemory());
            controls.put("a file of a container that has it", seen.get().inFiles());
        }
        look("gate");
    }

    /// The same value as another version, and other limits.
    private void update(DetachedContainer container, SecretStore store, String user)
            throws InterruptedException, IOException {
        store.rotate(name, value, Optional.empty(), user);
        List<SecretUpdate.Missed> _ = SecretUpdate.deliver(name, store, options);
        container.update(limits -> limits.pids(limits.pids() - 1), Optional.empty());
        look("update");
    }

    private void snapshot() throws InterruptedException, IOException {
        Snapshots snapshots = engine.snapshots();
        Snapshot made = snapshots.create(name.text(), name.text());
        try {
            look("snapshot");
        } finally {
            snapshots.remove(made.name());
        }
    }

    private void background(SecretStore store, String user) throws InterruptedException, IOException {
        DetachedContainer container =
                engine.create(spec(file("canary"), PRINTS + WAITS).name(name.text()), IN_BACKGROUND);
        try {
            look("create");
            container.start();
            requirePrinted(printed());
            ExecResult exec = engine.exec(name.text(), Exec.of("sh", "-c", PRINTS), Streams.capture());
            look("exec", "the output", exec.stdout() + exec.stderr());
            look("logs", "the log", log());
            look("inspect", "what is told of it", container.details() + " " + container.spec());
            look("inspect", "its spec", container.spec().map(SpecJson::write).orElse(""));
            update(container, store, user);
            snapshot();
            try (var layer = search.stream()) {
                container.writeLayer(layer, Optional.empty());
                layer.forms().forEach(form -> leaks.add("commit: the layer has it, " + form.words()));
            }
            look("running");
            container.restart(OptionalInt.empty(), Optional.of(Duration.ZERO));
            look("restart");
            container.stop(OptionalInt.empty(), Optional.of(Duration.ZERO));
            look("stop");
        } finally {
            container.remove(true);
        }
        look("rm");
    }

    /// Returns the log, as soon as the program has printed.
    private String printed() throws InterruptedException {
        long begun = System.nanoTime();
        String log = log();
        while (!log.contains("printed") && System.nanoTime() - begun < TimeUnit.SECONDS.toNanos(10)) {
            Thread.sleep(10);
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

    /// A variable is in the process that was given it, which the search must see, and nowhere else.
    private void variable() throws InterruptedException, IOException {
        DetachedContainer container = engine.create(
                spec(file("canary").asVariable("CANARY"), "echo printed; exec sleep 600")
                        .name(name.text()),
                IN_BACKGROUND);
        try {
            container.start();
            requirePrinted(printed());
            controls.put(
                    "a variable of a process",
                    search.ofProcesses().stream().anyMatch(found -> found.startsWith("a var")));
            for (Path place : places) {
                search.files(place).forEach(found -> leaks.add("variable: " + found));
            }
        } finally {
            container.remove(true);
        }
    }

    private void file() throws IOException {
        Path file = options.state().resolve("canary-control");
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try {
            value.writeTo(file);
            controls.put("a plain file", !search.files(options.state()).isEmpty());
        } finally {
            Files.delete(file);
        }
    }

    /// The argument of a process that is there for a moment: everybody on the host could read the value,
    /// which by then opens nothing.
    private void argument() throws IOException, InterruptedException {
        byte[] bytes = value.copy();
        var process =
                new ProcessBuilder("/bin/sh", "-c", "read x", new String(bytes, StandardCharsets.US_ASCII)).start();
        Arrays.fill(bytes, (byte) 0);
        try {
            controls.put(
                    "an argument of a process",
                    search.ofProcesses().stream().anyMatch(found -> found.startsWith("an arg")));
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
