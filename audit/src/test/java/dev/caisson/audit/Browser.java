package dev.caisson.audit;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/// A headless Chromium, driven over its DevTools protocol.
final class Browser implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    private final Process process;
    private final WebSocket socket;
    private final AtomicInteger lastId = new AtomicInteger();
    private final Map<Integer, CompletableFuture<Map<String, Object>>> answers = new ConcurrentHashMap<>();
    private final List<Map<String, Object>> events = new CopyOnWriteArrayList<>();

    static Optional<Path> executable() {
        return Stream.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
                .map(Path::of)
                .filter(Files::isExecutable)
                .findFirst();
    }

    Browser(Path home) throws IOException, InterruptedException, ExecutionException, TimeoutException {
        ProcessBuilder command = new ProcessBuilder(
                        executable().orElseThrow().toString(),
                        "--headless=new",
                        "--no-sandbox", // it shows a file that this test wrote, and runs as whoever runs the test
                        "--disable-gpu",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--remote-debugging-port=0",
                        "--user-data-dir=" + home,
                        "about:blank")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD);
        command.environment().put("TMPDIR", home.toString());
        process = command.start();
        Path portFile = home.resolve("DevToolsActivePort");
        for (int tries = 0; !Files.exists(portFile) || Files.size(portFile) == 0; tries++) {
            if (tries > 400 || !process.isAlive()) {
                process.destroyForcibly();
                throw new IOException("Chromium opened no port");
            }
            Thread.sleep(100);
        }
        List<String> lines = Files.readAllLines(portFile);
        socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + lines.get(0) + lines.get(1)), new Listener())
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        Object targets = call("", "Target.getTargets", Map.of()).get("targetInfos");
        String page = ((List<?>) targets)
                .stream()
                        .map(target -> (Map<?, ?>) target)
                        .filter(target -> "page".equals(target.get("type")))
                        .map(target -> String.valueOf(target.get("targetId")))
                        .findFirst()
                        .orElseThrow();
        session = String.valueOf(call("", "Target.attachToTarget", Map.of("targetId", page, "flatten", true))
                .get("sessionId"));
    }

    private final String session;

    private final class Listener implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        @SuppressWarnings("unchecked")
        public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                Map<String, Object> message = JsonMapper.shared().readValue(text.toString(), Map.class);
                text.setLength(0);
                if (message.get("id") instanceof Number id) {
                    answers.remove(id.intValue()).complete(message);
                } else {
                    events.add(message);
                }
            }
            return WebSocket.Listener.super.onText(from, data, last);
        }

        @Override
        public void onError(WebSocket from, Throwable error) {
            fail(error);
        }
    }

    private void fail(Throwable cause) {
        answers.values().forEach(answer -> answer.completeExceptionally(cause));
    }

    Map<String, Object> call(String method, Map<String, Object> parameters)
            throws InterruptedException, ExecutionException, TimeoutException {
        return call(session, method, parameters);
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> call(String to, String method, Map<String, Object> parameters)
            throws InterruptedException, ExecutionException, TimeoutException {
        int id = lastId.incrementAndGet();
        CompletableFuture<Map<String, Object>> answer = new CompletableFuture<>();
        answers.put(id, answer);
        Map<String, Object> message = to.isEmpty()
                ? Map.of("id", id, "method", method, "params", parameters)
                : Map.of("id", id, "method", method, "params", parameters, "sessionId", to);
        socket.sendText(JsonMapper.shared().writeValueAsString(message), true)
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        Map<String, Object> reply = answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        if (reply.get("error") != null) {
            throw new IllegalStateException(method + ": " + reply.get("error"));
        }
        return (Map<String, Object>) reply.get("result");
    }

    /// What a JavaScript expression comes to in the page; the page's own policy does not bind the debugger.
    Object evaluate(String expression) throws InterruptedException, ExecutionException, TimeoutException {
        Map<String, Object> reply = call("Runtime.evaluate", Map.of("expression", expression, "returnByValue", true));
        if (reply.get("exceptionDetails") != null) {
            throw new IllegalStateException(expression + ": " + reply.get("exceptionDetails"));
        }
        return String.valueOf(((Map<?, ?>) reply.get("result")).get("value"));
    }

    void open(URI page) throws InterruptedException, ExecutionException, TimeoutException {
        call("Page.enable", Map.of());
        call("Network.enable", Map.of());
        call("Log.enable", Map.of());
        call("Runtime.enable", Map.of());
        call("Page.navigate", Map.of("url", page.toString()));
        for (int tries = 0; events("Page.loadEventFired").isEmpty(); tries++) {
            if (tries > 400) {
                throw new TimeoutException("the page did not load");
            }
            Thread.sleep(50);
        }
    }

    void press(String key, int code) throws InterruptedException, ExecutionException, TimeoutException {
        String text = key.equals("Enter") ? "\r" : "";
        for (String type : List.of("keyDown", "keyUp")) {
            call(
                    "Input.dispatchKeyEvent",
                    Map.of("type", type, "key", key, "code", key, "windowsVirtualKeyCode", code, "text", text));
        }
    }

    void width(int pixels) throws InterruptedException, ExecutionException, TimeoutException {
        call(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", pixels, "height", 844, "deviceScaleFactor", 2, "mobile", pixels < 600));
    }

    List<Map<String, Object>> events(String method) {
        return events.stream()
                .filter(event -> method.equals(event.get("method")))
                .toList();
    }

    @Override
    public void close() {
        socket.abort();
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        process.onExit().join();
    }
}
