package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.launch.LayerMedium;
import dev.caisson.launch.Verifier;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.ProjectQuota;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.WritableLayer;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// What [ProjectQuotaTest] has its machine do: layers in directories of an ext4 file system that has project quotas.
final class ProjectQuotaContainers {
    private static final Path DISK = Path.of("/disk");
    private static final Path QUOTA = DISK.resolve("quota");
    private static final EngineOptions OPTIONS = new EngineOptions(Path.of("/run/caisson"), QUOTA.resolve("data"));
    private static final WritableLayer LAYER =
            WritableLayer.STANDARD.size(Bytes.mebibytes(16)).inodes(64);

    private ProjectQuotaContainers() {}

    public static void main(String[] arguments) throws Exception {
        Path root = BusyboxEngine.makeRoot(DISK.resolve("root"));
        mountWithQuotas();
        try (var engine = Engine.open(OPTIONS)) {
            aLayerIsBoundedByTheQuota(engine, root);
        }
        aLayerGoesWhateverItsNames(root);
        anEngineWithoutTheRecordLeavesALivingLayer(root);
        aKilledEngineLeavesNothing(root);
        System.out.println(VersionTwoContainers.HELD);
    }

    private static void mountWithQuotas() throws Exception {
        Path modules = Path.of(
                "/usr/lib/uml/modules",
                Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip());
        for (String module : List.of("drivers/block/loop.ko", "fs/quota/quota_tree.ko", "fs/quota/quota_v2.ko")) {
            Path file = modules.resolve("kernel").resolve(module);
            String name = file.getFileName().toString().replace(".ko", "");
            if (Files.notExists(Path.of("/sys/module", name))) {
                run("insmod", file.toString());
            }
        }
        String image = DISK.resolve("image").toString();
        run("truncate", "-s", "256M", image);
        run("mkfs.ext4", "-q", "-F", "-O", "quota,project", "-E", "quotatype=usrquota:grpquota:prjquota", image);
        Files.createDirectories(OPTIONS.data().getParent());
        run("mount", "-o", "loop,prjquota", image, QUOTA.toString());
        Files.createDirectories(OPTIONS.data());
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
    }

    private static ContainerSpec shell(Path root, String script) {
        return ContainerSpec.of(Image.directory(root), "sh", "-c", script).writableLayer(LAYER);
    }

    private static void aLayerIsBoundedByTheQuota(Engine engine, Path root) throws Exception {
        Container container = engine.start(
                shell(root, "dd if=/dev/zero of=/tmp/some bs=1M count=3; sleep 60")
                        .name("quota"),
                Streams.capture());
        assertThat(container.plan().medium()).isEqualTo(LayerMedium.PROJECT);
        WritableUse use = container.usage().writable().orElseThrow();
        for (int i = 0; i < 200 && use.used().count() < 3 << 20; i++) {
            TimeUnit.MILLISECONDS.sleep(50);
            use = container.usage().writable().orElseThrow();
        }
        assertThat(use.used()).isBetween(Bytes.mebibytes(3), Bytes.mebibytes(4));
        assertThat(use.size()).isEqualTo(Bytes.mebibytes(16));
        assertThat(use.mostInodes()).isEqualTo(64);
        assertThat(Verification.of("quota", OPTIONS).checks())
                .filteredOn(check -> check.subject().equals("writable layer"))
                .hasSize(1)
                .allMatch(Verifier.Check::asPlanned);
        container.kill();
        container.await();

        RunResult full = engine.run(shell(root, "dd if=/dev/zero of=/tmp/big bs=1M count=17; wc -c < /tmp/big"));
        RunResult many = engine.run(shell(root, "i=0; while : > /tmp/$i; do i=$((i+1)); done; echo $i"));

        assertThat(full.stderr()).contains("Disk quota exceeded");
        assertThat(Long.parseLong(full.stdout().strip())).isBetween(15L << 20, 16L << 20);
        assertThat(many.stderr()).contains("Disk quota exceeded");
        assertThat(DiskTraces.files(OPTIONS.data())).isEmpty();
        assertThat(limitedProjects()).isEmpty();
    }

    private static void aLayerGoesWhateverItsNames(Path root) throws Exception {
        try (var engine = Engine.open(OPTIONS)) {
            RunResult result = engine.run(shell(
                    root,
                    "cd /tmp; f=$(printf '\\377'); mkdir \"$f\"; : > \"$f/$f\"; "
                            + "i=0; while [ $i -lt 30 ]; do mkdir d; cd d; i=$((i+1)); done"));
            assertThat(result.isOk()).as(result.stderr()).isTrue();
            assertThat(DiskTraces.files(OPTIONS.data())).isEmpty();
        }
    }

    /// As where two engines share the data directory and not /run.
    private static void anEngineWithoutTheRecordLeavesALivingLayer(Path root) throws Exception {
        Path elsewhere = Path.of("/run/elsewhere");
        try (var living = Engine.open(OPTIONS)) {
            Container container = living.start(shell(root, ": > /tmp/mine; sleep 60"), Streams.capture());
            Files.move(OPTIONS.state(), elsewhere);
            try (var other = Engine.open(OPTIONS)) {
                assertThat(other.host()).isNotNull();
                assertThat(limitedProjects()).hasSize(1);
            }
            BusyboxEngine.removeTree(OPTIONS.state());
            Files.move(elsewhere, OPTIONS.state());
            container.kill();
            container.await();
            assertThat(DiskTraces.files(OPTIONS.data())).isEmpty();
        }
    }

    private static void aKilledEngineLeavesNothing(Path root) throws Exception {
        Process process = new EngineProcess(DiskLayerProcess.class, OPTIONS, root, List.of()).start();
        try (BufferedReader output = process.inputReader()) {
            assertThat(output.readLine()).isEqualTo(EngineProcess.OPENED + " " + LayerMedium.PROJECT);
            assertThat(DiskTraces.files(OPTIONS.data())).isNotEmpty();
            assertThat(limitedProjects()).hasSize(1);
        } finally {
            process.destroyForcibly();
        }
        process.waitFor();

        try (var next = Engine.open(OPTIONS)) {
            assertThat(next.host()).isNotNull();
            assertThat(DiskTraces.files(OPTIONS.data())).isEmpty();
            assertThat(limitedProjects()).isEmpty();
        }
    }

    /// Projects that directories below the data directory belong to.
    private static List<Integer> limitedProjects() throws IOException {
        try (Stream<Path> paths = Files.walk(OPTIONS.data().resolve("layers"), 2)) {
            return paths.filter(Files::isDirectory)
                    .map(ProjectQuotaContainers::project)
                    .filter(project -> project != 0)
                    .toList();
        }
    }

    private static int project(Path directory) {
        try (Fd open = FileSystem.open(directory.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            int project = ProjectQuota.of(open).orElse(0);
            assertThat(project == 0 || !ProjectQuota.isFree(open, project)).isTrue();
            return project;
        }
    }
}
