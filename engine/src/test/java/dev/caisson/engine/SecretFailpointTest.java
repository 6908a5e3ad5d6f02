package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.secret.ValueForm;
import dev.caisson.secret.ValueMatcher;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// The same with a secret that the program has as a file and as a variable, and prints: its value is in no file of the
/// engine and in no variable or argument of a process of ours, whoever was killed and wherever.
class SecretFailpointTest extends DetachedFailpointTest {
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);

    private final SecretValue value = SecretValue.generate(43);
    private final ValueMatcher matcher = ValueMatcher.of(List.of(value));

    @BeforeEach
    @Override
    void look() throws Exception {
        try (Engine _ = Engine.open(OPTIONS)) {
            removeStore();
            var key = new Unlocker.KeyFile(directory.resolve("key"));
            SecretStore.make(STORE, new NewStore(key, List.of(), true), Optional::empty, "test");
            try (SecretStore store = SecretStore.open(STORE, Optional::empty)) {
                store.create(new SecretName(FailpointActor.SECRET), value, Map.of(), Optional.empty(), "test");
            }
        }
        super.look();
    }

    @AfterEach
    @Override
    void end() throws Exception {
        try {
            super.end();
        } finally {
            removeStore();
            matcher.close();
            value.close();
        }
    }

    private static void removeStore() throws IOException {
        if (Files.exists(STORE)) {
            BusyboxEngine.removeTree(STORE);
        }
    }

    @Override
    int lines() {
        return Integer.getInteger("caisson.test.failpoints", 1);
    }

    @Override
    FailpointActor.Has has() {
        return FailpointActor.Has.SECRET;
    }

    @Override
    void checkLeft(String as) throws IOException {
        assertThat(holders()).as(as).isEmpty();
    }

    /// The program has printed it by then, if it was quick; what it prints is redacted before it is written.
    @Override
    void checkRunning(String as) throws IOException {
        checkLeft(as);
        Path leak = Files.writeString(OPTIONS.data().resolve("leak"), text());
        try {
            assertThat(holders()).as("the control").containsExactly(leak);
        } finally {
            Files.delete(leak);
        }
    }

    private String text() {
        byte[] bytes = value.copy();
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /// Returns the files below the state and data directories, and those of processes, that have the value in any form.
    private List<Path> holders() throws IOException {
        var found = new ArrayList<Path>();
        for (Path top : List.of(OPTIONS.state(), OPTIONS.data())) {
            try (Stream<Path> all = Files.walk(top)) {
                all.filter(Files::isRegularFile).filter(this::hasIt).forEach(found::add);
            }
        }
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            processes
                    .filter(process -> process.getFileName().toString().matches("[0-9]+"))
                    .flatMap(process -> Stream.of(process.resolve("cmdline"), process.resolve("environ")))
                    .filter(this::hasIt)
                    .filter(file -> !isOfTheProgram(file))
                    .forEach(found::add);
        }
        return found;
    }

    /// The program's own variables, and those of what it starts, have what was wished for.
    private static boolean isOfTheProgram(Path file) {
        try {
            return file.endsWith("environ")
                    && Files.readString(file.resolveSibling("uid_map")).strip().matches("0 +[1-9][0-9]* +[0-9]+");
        } catch (IOException e) {
            return true; // it has ended
        }
    }

    private boolean hasIt(Path file) {
        try {
            byte[] all = Files.readAllBytes(file);
            var forms = new ArrayList<ValueForm>();
            int _ = matcher.search(all, 0, all.length, (_, form, _, _) -> forms.add(form));
            return !forms.isEmpty();
        } catch (IOException e) {
            return false; // it is gone
        }
    }
}
