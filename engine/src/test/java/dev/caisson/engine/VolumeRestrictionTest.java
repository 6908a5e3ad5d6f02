package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.image.Image;
import dev.caisson.seccomp.Profile;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SeccompChoice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What a container with a volume of the host cannot do to the host through the volume's files.
@Tag("root")
@Timeout(value = 90, unit = TimeUnit.SECONDS)
class VolumeRestrictionTest {
    private static final Path PERL = Path.of("/usr/bin/perl");
    private static final int SET_ID = 06000;

    /// Each way to make a set-id file; `syscall` of open, openat, mknod and openat2 on x86_64 and aarch64.
    private static final String SET_ID_FILES = """
            use Fcntl; chdir "/data"; my $n = 0;
            sub try { $n++ if $_[0]; print "$_[1] ", $_[0] ? "made" : $!, "\\n" }
            open my $f, ">", "file"; print $f "x"; close $f;
            try(chmod(04755, "file"), "chmod 4755"); try(chmod(02755, "file"), "chmod 2755");
            try(chmod(06000, "file"), "chmod 6000"); open $f, "+<", "file"; try(chmod(04755, $f), "fchmod");
            try(sysopen($f, "a", O_CREAT | O_WRONLY, 04755), "O_CREAT"); try(sysopen($f, "b", O_CREAT | O_RDWR, 02711), "O_CREAT gid");
            try(sysopen($f, ".", 020200000 | O_WRONLY, 04755), "O_TMPFILE");
            my ($path, $how) = ("c", pack "QQQ", O_CREAT | O_WRONLY, 04755, 0);
            try(syscall(437, -100, $path, $how, 24) >= 0, "openat2");
            try(!system("mknod", "-m", "4755", "pipe", "p"), "mknod");
            print "$n\\n";
            """;

    private static final String LEASES = """
            use Fcntl; open my $f, "<", "/data/file" or die "open: $!"; my @got;
            for my $call ([1024, 0], [1024, 1], [1026, 1]) { push @got, fcntl($f, $call->[0], $call->[1]) ? "got" : $! }
            fcntl($f, F_GETFD, 0) or die "fcntl: $!"; print join(", ", @got), "\\n";
            """;

    @TempDir
    Path directory;

    private ContainerSpec perl(String script, boolean readOnly) {
        assumeTrue(Files.isExecutable(PERL), "written in Perl");
        return ContainerSpec.of(Image.host(), PERL.toString(), "-e", script)
                .mount(new Mount.Bind(directory.resolve("volume"), InRootPath.parse("/data"), readOnly, false));
    }

    private RunResult run(ContainerSpec spec) throws Exception {
        Files.createDirectories(directory.resolve("volume"));
        var options = new EngineOptions(directory.resolve("state"), Path.of("/var/lib/caisson-test"));
        try (Engine engine = Engine.open(options)) {
            return engine.run(spec);
        }
    }

    private List<Path> setIdFiles() throws IOException {
        try (var files = Files.list(directory.resolve("volume"))) {
            return files.filter(VolumeRestrictionTest::isSetId).toList();
        }
    }

    private static boolean isSetId(Path file) {
        try {
            return ((int) Files.getAttribute(file, "unix:mode") & SET_ID) != 0;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void a_writable_volume_gets_no_set_id_file_in_any_way() throws Exception {
        RunResult result = run(perl(SET_ID_FILES, false));

        assertThat(result.stdout()).as(result.stderr()).endsWith("\n0\n");
        assertThat(setIdFiles()).isEmpty();
    }

    @Test
    void a_profile_of_the_users_opens_nothing_of_it() throws Exception {
        var open = new SeccompChoice.Custom("open", Profile.parse("{\"defaultAction\": \"SCMP_ACT_ALLOW\"}"));

        RunResult result = run(perl(SET_ID_FILES, false).seccomp(open));

        assertThat(result.stdout()).as(result.stderr()).endsWith("\n0\n");
        assertThat(setIdFiles()).isEmpty();
    }

    @Test
    void with_the_allowance_they_are_made() throws Exception {
        RunResult result = run(perl(SET_ID_FILES, false).allow(Allowance.SETUID_FILES));

        assertThat(result.stdout()).as(result.stderr()).contains("chmod 4755 made", "O_CREAT made", "openat2 made");
        assertThat(setIdFiles()).isNotEmpty();
    }

    @Test
    void a_read_only_volume_takes_nothing_from_the_containers_own_files() throws Exception {
        String script = "mkdir \"/tmp/own\"; " + SET_ID_FILES.replace("chdir \"/data\"", "chdir \"/tmp/own\"");

        RunResult result = run(perl(script, true));

        assertThat(result.stdout()).as(result.stderr()).contains("chmod 4755 made", "O_CREAT made", "openat2 made");
    }

    @Test
    void files_of_a_volume_are_not_leased() throws Exception {
        Files.writeString(Files.createDirectories(directory.resolve("volume")).resolve("file"), "text");

        for (boolean readOnly : new boolean[] {false, true}) {
            RunResult result = run(perl(LEASES, readOnly));
            String no = "Operation not permitted";
            assertThat(result.stdout()).as(result.stderr()).isEqualTo(no + ", " + no + ", " + no + "\n");
        }
    }
}
