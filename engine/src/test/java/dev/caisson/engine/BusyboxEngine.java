package dev.caisson.engine;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// An engine and a root made of Debian's busybox-static, whose programs are hard links: an absolute symbolic link would
/// lead elsewhere when it is looked at from outside.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
abstract class BusyboxEngine {
    static final EngineOptions OPTIONS = new EngineOptions(OwnDirectories.state("cve"), OwnDirectories.data("cve"));
    private static final Path BUSYBOX = Path.of("/bin/busybox");

    @TempDir
    Path directory;

    Path root;
    Engine engine;

    @BeforeEach
    void openEngine() throws IOException {
        root = makeRoot(directory.resolve("root"));
        engine = Engine.open(OPTIONS);
    }

    @AfterEach
    void closeEngine() throws IOException {
        engine.close();
        removeTree(root);
    }

    static Path makeRoot(Path root) throws IOException {
        Path programs = Files.createDirectories(root.resolve("bin"));
        Path busybox = Files.copy(BUSYBOX, programs.resolve("busybox"));
        for (String program : new String[] {
            "sh", "ls", "cat", "stat", "id", "env", "true", "sleep", "mkdir", "mount", "unshare", "grep", "find",
            "touch", "wc", "dd"
        }) {
            Files.createLink(programs.resolve(program), busybox);
        }
        for (String empty : new String[] {"etc", "tmp", "srv"}) {
            Files.createDirectory(root.resolve(empty));
        }
        return root;
    }

    ContainerSpec busybox(String... command) {
        return ContainerSpec.of(Image.directory(root), command);
    }

    RunResult shell(String script) throws InterruptedException {
        return engine.run(busybox("sh", "-c", script));
    }

    static void removeTree(Path tree) throws IOException {
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
