package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.ArchiveForm;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageTree;
import dev.caisson.image.StoredImage;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// An image with all kinds of files, its archives, and the trees of images entry by entry: type, mode, owner, names of
/// a file, size, time, target of a link, content and attributes. Docker's containers have a few files of its own.
final class PeerTrees {
    private static final Pattern OF_DOCKER = Pattern.compile(
            "(?:^| )(?:\\./)?(?:\\.dockerenv|(?:dev|proc|sys)(?:/\\S*)?|etc/(?:hostname|hosts|resolv\\.conf|mtab))(?: |$)");
    static final String NAME = "docker.io/library/made:1";
    static final String USER = "user attribute of ";
    private static final String LIST = """
            cd "$0" || exit 1
            find . -mindepth 1 ! -type f ! -type d -printf '%y %m %U:%G %s %T@ %P %l\\n'
            find . -mindepth 1 -type d -printf '%y %m %U:%G %T@ %P\\n'
            find . -type f -printf '%y %m %U:%G %n %s %T@ %P\\n'
            find . -type f -exec sha256sum {} +
            getcap -r .
            """;

    private final BuildBed bed;
    private final Path directory;

    PeerTrees(BuildBed bed, Path directory) {
        this.bed = bed;
        this.directory = directory;
    }

    /// An image with all kinds of files, in three layers above its base.
    BuildResult made() throws Exception {
        bed.file("d/noted", "noted");
        Files.getFileAttributeView(bed.context.resolve("d/noted"), UserDefinedFileAttributeView.class)
                .write("key", StandardCharsets.UTF_8.encode("value"));
        bed.file("able", "#!");
        shell("setcap cap_net_raw=ep \"$0\"", bed.context.resolve("able").toString());
        return bed.build(
                "FROM busybox:1",
                "COPY --chown=7:8 d /d",
                "COPY able /bin/able",
                "RUN mkdir -p /r/s /gone /empty && echo 1 >/r/s/f && ln -s f /r/s/l && ln /r/s/f /r/s/h"
                        + " && chmod 4755 /r/s/f && touch -d '2001-02-03 04:05:06' /r/s/f && chmod 1777 /empty && echo a >/gone/a && mkfifo /pipe",
                "RUN rm -r /gone /bin/yes && mkdir /gone && echo b >/gone/b && chown 5:6 /etc && chmod 604 /etc/group",
                "CMD [\"sh\"]");
    }

    Set<String> ours(String name) throws Exception {
        try (ImageTree tree = bed.images.tree(new Image.Named(ImageReference.parse(name)));
                Fd root = FileSystem.openAt(
                        tree.root(),
                        ".",
                        FileSystem.O_RDONLY | FileSystem.O_DIRECTORY,
                        0,
                        FileSystem.RESOLVE_BENEATH)) {
            return list("/proc/" + ProcessHandle.current().pid() + "/fd/" + root.number() + "/");
        }
    }

    static Set<String> list(String root) throws Exception {
        var lines = new TreeSet<String>();
        shell(LIST, root)
                .lines()
                .filter(line -> !line.isBlank())
                .map(String::strip)
                .forEach(lines::add);
        try (Stream<Path> all = Files.walk(Path.of(root, "."))) {
            for (Path path : all.filter(one -> Files.isRegularFile(one, LinkOption.NOFOLLOW_LINKS))
                    .toList()) {
                for (String name : Files.getFileAttributeView(path, UserDefinedFileAttributeView.class)
                        .list()) {
                    lines.add(USER + Path.of(root, ".").relativize(path) + " " + name);
                }
            }
        }
        lines.removeIf(line -> OF_DOCKER.matcher(line).find());
        return lines;
    }

    static void assertSame(Set<String> ours, Set<String> theirs) {
        assertThat(ours).anyMatch(line -> line.startsWith("f 4755 0:0 2 2 981173106")); // all kinds are there
        assertThat(ours).anyMatch(line -> line.equals(USER + "d/noted key"));
        assertThat(ours).anyMatch(line -> line.equals("./bin/able cap_net_raw=ep"));
        assertThat(ours).anyMatch(line -> line.startsWith("p 644")).noneMatch(line -> line.endsWith(" gone/a"));
        assertEqual(ours, theirs);
    }

    static void assertEqual(Set<String> ours, Set<String> theirs) {
        var only = new TreeSet<>(ours);
        only.removeAll(theirs);
        var others = new TreeSet<>(theirs);
        others.removeAll(ours);
        assertThat(only).as("only ours; only theirs: " + others).isEmpty();
        assertThat(others).as("only theirs").isEmpty();
    }

    Path saved(StoredImage image, ArchiveForm form) throws Exception {
        Path archive = directory.resolve("ours.tar");
        try (OutputStream to = Files.newOutputStream(archive)) {
            bed.images.save(List.of(image), form, to);
        }
        return archive;
    }

    void load(Path archive) throws IOException {
        try (InputStream in = Files.newInputStream(archive)) {
            bed.images.load(in, "the archive");
        }
    }

    static String shell(String script, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of("sh", "-ec", script));
        command.addAll(List.of(arguments));
        Path errors = Files.createTempFile("peer", ".err");
        Process process =
                new ProcessBuilder(command).redirectError(errors.toFile()).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        String wrong = Files.readString(errors);
        Files.delete(errors);
        assertThat(status).as(script + "\n" + said + wrong).isZero();
        return said;
    }
}
