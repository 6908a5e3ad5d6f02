package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Gate;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Programs as people have them, through a gate to a server of Node that speaks both versions of HTTP. The engine runs
/// in a JVM of its own, on a host whose file of names has the server and whose authorities vouch for it.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class GateClientsTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("clients"), OwnDirectories.data("clients"));
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);
    private static final String HOST = "api.clients.invalid";
    private static final String VALUE = "canary-of-the-clients";
    private static final String STARS = "*".repeat(VALUE.length());
    private static final Path BUNDLE = Path.of("/etc/ssl/certs/ca-certificates.crt");

    /// Says what it got, and repeats the value that no program may see.
    private static final String SERVER = """
            const fs = require('fs'), path = require('path'), http2 = require('http2')
            const value = fs.readFileSync('value', 'utf8')
            const options = { key: fs.readFileSync('key'), cert: fs.readFileSync('crt'), allowHTTP1: true }
            http2.createSecureServer(options, (request, response) => {
              const right = request.headers.authorization === 'Bearer ' + value
              fs.appendFileSync('log', request.httpVersion + ' ' + right + ' ' + request.url + '\\n')
              let size = 0
              request.on('data', piece => size += piece.length)
              request.on('end', () => {
                const file = path.join('files', request.url.split('?')[0])
                response.setHeader('x-value', value)
                if (request.url.startsWith('/v2/x/')) {
                  response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json')
                }
                if (right && request.url !== '/' && fs.existsSync(file) && fs.statSync(file).isFile()) {
                  response.end(fs.readFileSync(file))
                } else if (request.url.startsWith('/repo.git/')) {
                  response.statusCode = 404
                  response.end()
                } else {
                  response.end([request.httpVersion, request.method, right, size, value].join(' ') + '\\n')
                }
              })
            }).listen(443, '192.0.2.1', () => console.log('listens'))
            """;

    private static final String ASK = """
            cd /tmp; export HOME=/tmp
            url=https://HOST/
            echo "curl2 $(curl -s --http2 $url)"
            echo "curl1 $(curl -s --http1.1 $url)"
            echo "curl-up $(head -c 5000000 /dev/zero | curl -s --http2 --data-binary @- $url)"
            echo "curl-head $(curl -s --http2 -D - -o /dev/null $url | tr -d '\\r' | grep -i '^x-value')"
            echo "curl-many $(curl -s --http2 --parallel "$url?[1-40]" | sort | uniq -c | tr -s ' ')"
            echo "requests $(/usr/bin/python3 -c 'import requests; s = requests.Session(); s.get("'$url'"); print(s.get("'$url'").text)')"
            echo "urllib3 $(/usr/bin/python3 -c 'import urllib3; print(urllib3.PoolManager().request("GET", "'$url'").data.decode())')"
            git clone -q ${url}repo.git cloned 2>&1 && echo "git $(cat cloned/file)"
            echo "skopeo $(skopeo inspect --raw --no-creds docker://HOST/x:latest 2>&1)"
            echo "node-https $(node -e 'require("https").get("'$url'", r => r.pipe(process.stdout))' 2>&1)"
            echo "node-fetch $(node -e 'fetch("'$url'").then(r => r.text()).then(t => console.log(t))' 2>&1)"
            cat >two.js <<'END'
            const session = require('http2').connect(process.argv[2])
            let left = 20, all = new Set()
            for (let i = 0; i < 20; i++) {
              const stream = session.request({ ':path': '/?' + i })
              let text = ''
              stream.on('data', piece => text += piece)
              stream.on('end', () => { all.add(text.trim()); if (--left === 0) { console.log([...all].join('|')); session.close() } })
              stream.end()
            }
            END
            echo "node-http2 $(node two.js $url 2>&1)"
            cat >Ask.java <<'END'
            import java.net.URI;
            import java.net.http.*;
            class Ask {
                public static void main(String[] all) throws Exception {
                    var client = HttpClient.newHttpClient();
                    for (var version : HttpClient.Version.values()) {
                        var to = HttpRequest.newBuilder(URI.create(all[0])).version(version).build();
                        System.out.print(client.send(to, HttpResponse.BodyHandlers.ofString()).body().strip() + "|");
                    }
                }
            }
            END
            cat >ask.go <<'END'
            package main
            import ("fmt"; "io"; "net/http"; "os"; "strings")
            func main() {
                response, err := http.Get(os.Args[1])
                if err != nil { fmt.Println(err); os.Exit(1) }
                body, _ := io.ReadAll(response.Body)
                fmt.Println(response.Proto, strings.TrimSpace(string(body)))
            }
            END
            echo "go $(GOCACHE=/tmp/go CGO_ENABLED=0 go run ask.go $url 2>&1)"
            echo "java $(JAVA -XX:TieredStopAtLevel=1 -XX:+UseSerialGC Ask.java $url 2>&1)"
            """.replace("HOST", HOST);

    @TempDir
    private Path scratch;

    private NetworkBed bed;
    private Process origin;

    @BeforeEach
    void open() throws Exception {
        if (Files.exists(STORE)) {
            BusyboxEngine.removeTree(STORE);
        }
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("web")));
        SecretStore.make(
                STORE,
                new NewStore(new Unlocker.KeyFile(scratch.resolve("unlocks")), List.of(), true),
                Optional::empty,
                "test");
        try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                SecretValue value = SecretValue.of(VALUE.getBytes(StandardCharsets.UTF_8))) {
            store.create(new SecretName("gh"), value, Map.of(), Optional.empty(), "test");
        }
        Files.writeString(scratch.resolve("value"), VALUE);
        Files.writeString(scratch.resolve("server.js"), SERVER);
        Files.createDirectories(scratch.resolve("files/v2/x/manifests"));
        Files.writeString(scratch.resolve("files/v2/x/manifests/latest"), "{\"schemaVersion\":2}");
        NetworkBed.sh("cd " + scratch + " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
                + " -subj /CN=test -addext subjectAltName=DNS:" + HOST + " -keyout key -out crt 2>&1"
                + " && cat " + BUNDLE + " crt > bundle && cat /etc/hosts > hosts && echo '192.0.2.1 " + HOST
                + "' >> hosts"
                + " && git init -q work && cd work && echo content > file && git add file"
                + " && git -c user.name=t -c user.email=t@t.invalid commit -q -m m"
                + " && git clone -q --bare . ../files/repo.git && git -C ../files/repo.git update-server-info");
        origin = new ProcessBuilder("node", "server.js")
                .directory(scratch.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(new BufferedReader(new InputStreamReader(origin.getInputStream(), StandardCharsets.UTF_8))
                        .readLine())
                .isEqualTo("listens");
    }

    @AfterEach
    void close() throws Exception {
        if (origin != null) {
            origin.destroyForcibly().waitFor();
        }
        bed.close();
        BusyboxEngine.removeTree(STORE);
    }

    @Test
    void each_sends_the_value_that_it_never_has() throws Exception {
        String java = System.getProperty("java.home") + "/bin/java";
        Files.writeString(scratch.resolve("script"), ASK.replace("JAVA", java));
        String output = onHost(java, scratch.resolve("script"));
        String one = " GET true 0 " + STARS;
        assertThat(output.lines())
                .containsExactly(
                        "curl2 2.0" + one,
                        "curl1 1.1" + one,
                        "curl-up 2.0 POST true 5000000 " + STARS,
                        "curl-head x-value: " + STARS,
                        "curl-many  40 2.0" + one,
                        "requests 1.1" + one,
                        "urllib3 1.1" + one,
                        "git content",
                        "skopeo {\"schemaVersion\":2}",
                        "node-https 1.1" + one,
                        "node-fetch 1.1" + one,
                        "node-http2 2.0" + one,
                        "go HTTP/2.0 2.0" + one,
                        "java 1.1" + one + "|2.0" + one + "|");
        assertThat(Files.readAllLines(scratch.resolve("log")))
                .allMatch(line -> line.contains(" true "))
                .anyMatch(line -> line.startsWith("2.0 true /repo.git/"))
                .anyMatch(line -> line.endsWith(" true /v2/x/manifests/latest"));
    }

    /// Runs a script in a container, by an engine whose host knows the server.
    private String onHost(String java, Path script) throws Exception {
        String mounts = "mount --bind " + scratch.resolve("hosts") + " /etc/hosts && mount --bind "
                + scratch.resolve("bundle") + " " + BUNDLE + " && exec \"$@\"";
        Process host = new ProcessBuilder(
                        "unshare",
                        "--mount",
                        "--",
                        "sh",
                        "-c",
                        mounts,
                        "host",
                        java,
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        GateClientsTest.class.getName(),
                        script.toString(),
                        OPTIONS.state().toString(),
                        OPTIONS.data().toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(host.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(host.waitFor()).as(output).isZero();
        return output;
    }

    /// The engine's JVM.
    public static void main(String[] arguments) throws IOException, InterruptedException {
        ContainerSpec spec = ContainerSpec.of(Image.host(), "sh", "-c", Files.readString(Path.of(arguments[0])))
                .network(Network.on("web").egress(Egress.only(HOST + ":443", "192.0.2.1:443")))
                .secret(Gate.of("gh").to(HOST).asBearer());
        var options = new EngineOptions(Path.of(arguments[1]), Path.of(arguments[2]));
        try (Engine engine = Engine.open(options)) {
            RunResult result = engine.run(spec);
            System.out.print(result.stdout());
            System.err.print(result.stderr());
        }
    }
}
