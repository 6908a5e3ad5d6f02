package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.LaunchException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// CVE-2019-5736: an image whose program is `#!/proc/self/exe` runs the engine's own program inside the container and
/// overwrites it through /proc.
class Cve2019_5736Test extends BusyboxEngine {
    private static Path ownProgram() {
        return ProcessHandle.current()
                .children()
                .map(child -> Path.of("/proc/" + child.pid() + "/exe"))
                .filter(Cve2019_5736Test::isOurs)
                .findFirst()
                .orElseThrow();
    }

    private static boolean isOurs(Path program) {
        try {
            return Files.readSymbolicLink(program).toString().contains("memfd:");
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void the_engines_program_cannot_be_reached_through_the_images() throws Exception {
        assertThat(shell("true").verdict()).isEqualTo(Verdict.OK);
        byte[] before = Files.readAllBytes(ownProgram());
        Path trap = root.resolve("bin/trap");
        Files.writeString(trap, "#!/proc/self/exe\n");
        Files.setPosixFilePermissions(trap, PosixFilePermissions.fromString("rwxr-xr-x"));

        for (boolean init : new boolean[] {true, false}) {
            assertThat(ranNothing(init)).isTrue();
        }
        RunResult written = shell("""
                for n in 1 self $$; do
                  (echo overwritten > /proc/$n/exe) && echo written
                  (dd if=/bin/true of=/proc/$n/exe conv=notrunc bs=1 count=1) && echo written
                done
                true""");

        assertThat(written.stdout()).isEmpty();
        assertThat(Arrays.equals(Files.readAllBytes(ownProgram()), before)).isTrue();
        assertThat(shell("echo alive").stdout()).isEqualTo("alive\n");
    }

    /// What starts is either refused by the kernel, or our program, which does nothing for whom it does not know.
    private boolean ranNothing(boolean init) throws InterruptedException {
        try {
            RunResult result = engine.run(busybox("/bin/trap").init(init));
            return result.exitCode() == 125 && result.stdout().isEmpty();
        } catch (LaunchException e) {
            return e.exitStatus() == 126;
        }
    }
}
