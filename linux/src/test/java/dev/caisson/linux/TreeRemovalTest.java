package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class TreeRemovalTest {
    @TempDir
    Path temporary;

    private Fd directory;

    @BeforeEach
    void open() {
        directory = FileSystem.open(temporary.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
    }

    @AfterEach
    void close() {
        directory.close();
    }

    private void shell(String script) throws Exception {
        Process process = new ProcessBuilder("sh", "-c", script)
                .directory(temporary.toFile())
                .inheritIO()
                .start();
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void names_that_are_no_utf_8_go_too() throws Exception {
        shell("mkdir -p \"tree/$(printf 'a\\377')/b\"; touch \"tree/$(printf '\\377\\376')\" tree/.hidden tree/...;"
                + " touch \"tree/$(printf 'a\\377')/$(printf '\\200')\"");
        FileSystem.removeTree(directory, "tree");
        assertThat(temporary.resolve("tree")).doesNotExist();
    }

    @Test
    void a_tree_of_any_depth_goes_with_few_descriptors() throws Exception {
        shell("mkdir tree; cd tree; exec perl -e 'for (1..5000) { mkdir \"d\"; mkdir \"e\"; mkdir \".removed-$_\";"
                + " open F, \">f\"; chdir \"d\" or die }'");
        long before = descriptors();
        FileSystem.removeTree(directory, "tree");
        assertThat(temporary.resolve("tree")).doesNotExist();
        assertThat(descriptors()).isEqualTo(before);
    }

    @Test
    void links_are_removed_and_not_followed() throws Exception {
        shell("mkdir -p kept/below tree/in; touch kept/file; ln -s ../kept tree/link; ln -s ../../kept tree/in/link");
        FileSystem.removeTree(directory, "tree");
        assertThat(temporary.resolve("tree")).doesNotExist();
        assertThat(temporary.resolve("kept/file")).exists();
        FileSystem.removeTree(directory, "absent");
    }

    private static long descriptors() throws Exception {
        try (var open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }
}
