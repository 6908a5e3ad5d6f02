package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.engine.SystemCalls.Call;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.NewLayer;
import dev.caisson.image.TarWriter;
import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.VolumeSpec;
import dev.caisson.spec.WorkspaceName;
import dev.caisson.spec.WorkspaceSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Each writer of what is to outlive a power failure: a file that gets its name has been brought to the disk before,
/// and its name afterwards.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class LastingFilesTest {
    private static final String STORE = "secrets";
    private static final List<String> SYNCHRONIZES = List.of("fsync", "fdatasync", "syncfs");

    @TempDir
    private Path scratch;

    /// Something to write, and the least number of names that it makes.
    enum Act {
        SECRETS(3) {
            @Override
            void make(Path scratch, EngineOptions options) {
                Path store = options.data().resolve(STORE);
                SecretStore.make(
                        store,
                        new NewStore(new Unlocker.KeyFile(scratch.resolve("key")), List.of(), true),
                        Optional::empty,
                        "test");
                try (SecretStore opened = SecretStore.open(store, Optional::empty);
                        SecretValue value = SecretValue.of(text("value"));
                        SecretValue next = SecretValue.of(text("next"))) {
                    opened.create(new SecretName("db"), value, Map.of(), Optional.empty(), "test");
                    opened.rotate(new SecretName("db"), next, Optional.empty(), "test");
                }
            }
        },
        WORKSPACE(1) {
            @Override
            void make(Path scratch, EngineOptions options) {
                Workspaces.of(options)
                        .create(new WorkspaceSpec(new WorkspaceName("w"), Bytes.mebibytes(16), OptionalLong.empty()));
            }
        },
        VOLUME(1) {
            @Override
            void make(Path scratch, EngineOptions options) {
                Volumes.of(options).create(VolumeSpec.named("volume"));
            }
        },
        IMAGE(5) {
            @Override
            void make(Path scratch, EngineOptions options) {
                ImageReference name = ImageReference.parse("caisson-test/lasting:1");
                try (Images images = Images.open(options)) {
                    images.make(Optional.empty(), List.of(new NewLayer(Act::layer, true)), Act::config, name);
                    images.tree(new Image.Named(name)).close();
                }
            }
        };

        private final int least;

        Act(int least) {
            this.least = least;
        }

        abstract void make(Path scratch, EngineOptions options);

        private static byte[] text(String text) {
            return text.getBytes(StandardCharsets.UTF_8);
        }

        private static byte[] config(List<Digest> layers) {
            return text("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\""
                    + layers.getFirst() + "\"]}}");
        }

        private static void layer(OutputStream to) throws IOException {
            var archive = new TarWriter(to);
            byte[] content = text("content");
            archive.file("file", content.length, new TarWriter.Attributes(0644, 0, 0, Instant.EPOCH));
            archive.content(content, content.length);
            archive.finish();
        }
    }

    /// The process that is watched.
    static final class Watched {
        private Watched() {}

        public static void main(String[] arguments) {
            Path scratch = Path.of(arguments[1]);
            Act.valueOf(arguments[0]).make(scratch, options(scratch));
        }
    }

    private static EngineOptions options(Path scratch) {
        return new EngineOptions(scratch.resolve("state"), scratch.resolve("data"));
    }

    @ParameterizedTest
    @EnumSource
    void what_gets_a_name_is_on_the_disk_before_and_its_name_is_afterwards(Act act) throws Exception {
        assumeTrue(SystemCalls.canBeSeen(), "strace is not installed");
        Files.createDirectories(options(scratch).data());
        List<Call> calls = SystemCalls.of(scratch.resolve("calls"), Watched.class, act.name(), scratch.toString());
        String data = options(scratch).data().toString() + "/";
        List<Integer> names = IntStream.range(0, calls.size())
                .filter(i -> calls.get(i).name().equals("renameat2")
                        && calls.get(i).paths().getLast().startsWith(data))
                .boxed()
                .toList();

        assertThat(names).hasSizeGreaterThanOrEqualTo(act.least);
        for (int at : names) {
            String from = calls.get(at).paths().getFirst();
            String to = calls.get(at).paths().getLast();
            List<Call> before = calls.subList(lastWrite(calls, at, from) + 1, at);
            List<Call> after = calls.subList(at + 1, calls.size());
            boolean early = before.stream().anyMatch(call -> SYNCHRONIZES.contains(call.name()) && call.isOf(from));
            boolean late = after.stream().anyMatch(call -> SYNCHRONIZES.contains(call.name()) && call.isOf(to));
            assertThat(early || (late && isIn(after, to))) // the directory is renamed when all of it lasts
                    .as("brought to the disk before it is called " + to)
                    .isTrue();
            String directory = to.substring(0, to.lastIndexOf('/'));
            assertThat(after.stream().takeWhile(call -> !call.name().equals("renameat2")))
                    .as("the name of " + to + " is brought to the disk")
                    .anyMatch(call -> call.name().equals("fsync") && call.isOf(directory));
        }
    }

    /// True if a directory that a file is in gets its name later.
    private static boolean isIn(List<Call> later, String file) {
        return later.stream()
                .anyMatch(call -> call.name().equals("renameat2")
                        && file.startsWith(call.paths().getFirst() + "/"));
    }

    private static int lastWrite(List<Call> calls, int before, String path) {
        return IntStream.range(0, before)
                .filter(i -> !SYNCHRONIZES.contains(calls.get(i).name())
                        && calls.get(i).paths().stream()
                                .anyMatch(each -> each.equals(path) || each.startsWith(path + "/")))
                .max()
                .orElse(-1);
    }
}
