package dev.caisson.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.GivenCaller;
import dev.caisson.cli.caller.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// One damaged image among others, in a data directory of the test's.
@Tag("root")
class DamagedImageTest {
    @TempDir
    private Path directory;

    private Answer caisson(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        var variables = Map.of(
                "CAISSON_DATA", directory.resolve("data").toString(),
                "CAISSON_STATE", directory.resolve("state").toString());
        int status = new GivenCaller(variables, new byte[0])
                .run(() -> Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, arguments));
        return new Answer(status, out.toString(), err.toString());
    }

    private void make(String name) throws IOException {
        Path tar = directory.resolve(name + ".tar");
        try (var out = Files.newOutputStream(tar)) {
            out.write(new byte[1024]);
        }
        Answer made = caisson("import", "-c", "LABEL name=" + name, tar.toString(), name + ":1");
        assertThat(made.status()).as(made.err()).isZero();
    }

    /// The file of an image's configuration, which has its id, or of the manifest that names it.
    private Path blob(String id, boolean manifest) throws IOException {
        Path blobs = directory.resolve("data/images/content/blobs/sha256");
        Path configuration = blobs.resolve(id.substring("sha256:".length()));
        if (!manifest) {
            return configuration;
        }
        try (var all = Files.list(blobs)) {
            return all.filter(file -> !file.equals(configuration) && text(file).contains(id))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void it_hides_no_other(boolean manifest) throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        make("damaged");
        make("whole");
        String damaged = caisson("images", "-q", "--no-trunc", "damaged").out().strip();
        String whole = caisson("images", "-q", "whole").out().strip();
        Path blob = blob(damaged, manifest);
        Files.writeString(blob, "{}");

        Answer listed = caisson("images");

        assertThat(listed.status()).isEqualTo(1);
        assertThat(listed.out()).contains(whole).doesNotContain("damaged");
        assertThat(listed.err()).startsWith("caisson: DIGEST_MISMATCH: damaged:1: ");
        assertThat(caisson("image", "inspect", whole).out()).contains("whole:1");

        String tar = directory.resolve("whole.tar").toString();
        assertThat(caisson("import", "-c", "LABEL name=later", tar, "whole:1").status())
                .isZero(); // the one before has no name any more
        Answer pruned = caisson("image", "prune", "-f");
        assertThat(pruned.status()).isEqualTo(1);
        assertThat(pruned.out()).startsWith("Deleted Images:\nwhole@sha256:");
        assertThat(pruned.err())
                .startsWith("caisson: DIGEST_MISMATCH: damaged:1: ")
                .contains("stay until it is");
        assertThat(caisson("rmi", "damaged:1").status()).isZero();
        assertThat(caisson("image", "prune", "-a", "-f").status()).isZero();
        try (var left = Files.list(blob.getParent())) {
            assertThat(left).isEmpty();
        }
        assertThat(caisson("images").status()).isZero();
    }
}
