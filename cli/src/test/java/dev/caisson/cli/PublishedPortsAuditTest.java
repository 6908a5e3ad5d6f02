package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Published ports and networks of our own containers are judged as those of other engines.
@Tag("root")
@Timeout(240)
class PublishedPortsAuditTest {
    /// Prints what was found wrong of each container, among the checks of how one can be reached.
    private static final String FAILED = """
            import json, sys
            reach = ("privileged-port", "ports-unneeded", "port-everywhere", "bridge-default", "ports-unpublished-open",
                     "host-net", "claim-contradicted")
            for one in json.load(open(sys.argv[1]))["findings"]:
                if one["name"] in reach and one["status"] in ("fail", "not-evaluated"):
                    print(one["subject"]["name"], one["name"], one["status"], one["message"])
            """;

    /// Makes an image that exposes port 7000.
    private static final String IMAGE = """
            import io, json, tarfile
            def tar(name, *files):
                with tarfile.open(name, "w") as made:
                    for path, mode, data in files:
                        entry = tarfile.TarInfo(path)
                        entry.size, entry.mode = len(data), mode
                        made.addfile(entry, io.BytesIO(data))
            import hashlib
            tar("layer.tar", ("bin/busybox", 0o755, open("/bin/busybox", "rb").read()))
            layer = open("layer.tar", "rb").read()
            config = {"architecture": "amd64", "os": "linux", "config": {"ExposedPorts": {"7000/tcp": {}}},
                      "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}
            manifest = [{"Config": "config.json", "RepoTags": ["web:1"], "Layers": ["layer.tar"]}]
            tar("image.tar", ("manifest.json", 0o644, json.dumps(manifest).encode()),
                ("config.json", 0o644, json.dumps(config).encode()), ("layer.tar", 0o644, layer))
            """;

    @TempDir
    private Path directory;

    @Test
    void what_leads_to_a_container_is_found_and_nothing_else() throws Exception {
        String printed = inNamespace("""
                ip addr add 192.0.2.1/24 dev lo
                export CAISSON_SERVE=off
                caisson network create web >/dev/null
                caisson network create --internal inner >/dev/null
                run() { caisson run -d "$@" 2>/dev/null >/dev/null; }
                run --name open --network web -p 8080:7000 host -- python3 -m http.server 7000
                run --name low --network bridge -p 192.0.2.1:443:80/udp host sleep 1000
                run --name inside --network inner -p 8081:7000 host sleep 1000 && exit 1 # is refused
                run --name stack --network host --allow host-network host sleep 1000
                run --name quiet host sleep 1000
                python3 -c 'IMAGE'
                image() { run "$@" docker-archive:image.tar /bin/busybox nc -l -p 7000; }
                image --name asked --network web -p 192.0.2.1:8082:7000
                image --name more --network web -p 192.0.2.1:8083:7000 -p 192.0.2.1:8084:7001
                image --name alone --network inner
                for _ in $(seq 100); do
                  caisson exec open ss -Hltn sport = :7000 | grep -q . && break; sleep 0.1
                done
                for _ in $(seq 100); do
                  caisson exec alone /bin/busybox netstat -ltn | grep -q :7000 && break; sleep 0.1
                done
                caisson audit --format json -o report.json
                python3 -c 'FAILED' report.json
                caisson rm -f open low stack quiet asked more alone >/dev/null
                """.replace("FAILED", FAILED).replace("IMAGE", IMAGE));

        assertThat(printed.lines())
                .containsExactlyInAnyOrder(
                        "caisson/open port-everywhere fail every address:8080 to 7000/tcp",
                        "caisson/low privileged-port fail 192.0.2.1:443 to 80/udp",
                        "caisson/more ports-unneeded fail published, though its image does not expose them: 7001/tcp",
                        "caisson/low bridge-default fail it is on the default bridge",
                        "caisson/stack host-net fail its net namespace is the host's");
    }

    private String inNamespace(String script) throws IOException, InterruptedException {
        String words = CommandProcess.ofJvm(List.of()).stream()
                .map(word -> "'" + word + "'")
                .collect(Collectors.joining(" "));
        String own =
                "PATH=$PATH:/usr/sbin; cd " + directory + "; caisson() { " + words + " \"$@\"; }; ip link set lo up\n";
        var builder = new ProcessBuilder("unshare", "-n", "bash", "-c", own + script).redirectErrorStream(true);
        builder.environment().put("CAISSON_STATE", directory.resolve("state").toString());
        builder.environment()
                .put(
                        "CAISSON_DATA",
                        Files.createDirectories(directory.resolve("data")).toString());
        Process process = builder.start();
        process.getOutputStream().close();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(printed).isZero();
        return printed;
    }
}
