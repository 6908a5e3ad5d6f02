package dev.caisson.hostaudit.engines;

import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.EngineFacts.Setting;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.hostaudit.secrets.Variables;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;

/// The daemon's effective configuration: its defaults, overridden by its file, overridden by the flags of
/// the very process, in the names of `daemon.json`.
public final class EngineConfiguration {
    private static final Map<String, String> DEFAULTS = Map.ofEntries(
            Map.entry("data-root", "/var/lib/docker"),
            Map.entry("exec-root", "/var/run/docker"),
            Map.entry("hosts", "unix:///var/run/docker.sock"),
            Map.entry("log-level", "info"),
            Map.entry("log-driver", "json-file"),
            Map.entry("icc", "true"),
            Map.entry("iptables", "true"),
            Map.entry("userland-proxy", "true"),
            Map.entry("live-restore", "false"),
            Map.entry("no-new-privileges", "false"),
            Map.entry("selinux-enabled", "false"),
            Map.entry("experimental", "false"),
            Map.entry("debug", "false"),
            Map.entry("tls", "false"),
            Map.entry("tlsverify", "false"),
            Map.entry("group", "docker"));

    /// Flags that take no argument of their own: `--debug` is `--debug=true`.
    public static final Set<String> SWITCHES = Set.of(
            "debug",
            "tls",
            "tlsverify",
            "icc",
            "iptables",
            "ip6tables",
            "ip-forward",
            "ip-masq",
            "ipv6",
            "userland-proxy",
            "live-restore",
            "no-new-privileges",
            "selinux-enabled",
            "experimental",
            "init",
            "raw-logs",
            "validate",
            "rootless",
            "disable-legacy-registry",
            "allow-direct-routing",
            "version",
            "help");

    static final Map<String, String> SHORT = Map.of(
            "H",
            "host",
            "D",
            "debug",
            "l",
            "log-level",
            "G",
            "group",
            "p",
            "pidfile",
            "b",
            "bridge",
            "s",
            "storage-driver",
            "v",
            "version",
            "h",
            "help");

    /// Flags that may be repeated have another name in the file.
    static final Map<String, String> PLURAL = Map.ofEntries(
            Map.entry("host", "hosts"),
            Map.entry("insecure-registry", "insecure-registries"),
            Map.entry("authorization-plugin", "authorization-plugins"),
            Map.entry("default-ulimit", "default-ulimits"),
            Map.entry("log-opt", "log-opts"),
            Map.entry("exec-opt", "exec-opts"),
            Map.entry("storage-opt", "storage-opts"),
            Map.entry("registry-mirror", "registry-mirrors"),
            Map.entry("label", "labels"),
            Map.entry("add-runtime", "runtimes"),
            Map.entry("dns-opt", "dns-opts"),
            Map.entry("cluster-store-opt", "cluster-store-opts"));

    private static final Map<String, String> TLS_FILES =
            Map.of("tlscacert", "/ca.pem", "tlscert", "/cert.pem", "tlskey", "/key.pem");

    private static final String BYTE_ORDER_MARK = "\ufeff";

    private EngineConfiguration() {}

    /// Reads `daemon.json` as dockerd does: it may begin with a byte order mark, and an empty one has no settings.
    ///
    /// @throws dev.caisson.text.MalformedJsonException if it is not JSON
    static Tree parse(String file) {
        String text = withoutMark(file);
        return text.isBlank() ? Tree.NONE : Tree.parse(text);
    }

    /// Returns the text of `daemon.json` behind its byte order mark, if it has one.
    public static String withoutMark(String file) {
        return file.startsWith(BYTE_ORDER_MARK) ? file.substring(1) : file;
    }

    /// Returns the settings in effect: the defaults, then the file, then the flags.
    ///
    /// @param arguments of the process, its name first
    /// @param environment the variables of the process
    /// @param file the parsed `daemon.json`, [Tree#NONE] if there is none
    public static Map<String, Setting> effective(
            List<String> arguments, Function<String, Optional<String>> environment, Tree file) {
        Map<String, List<String>> flags = flags(arguments);
        Map<String, Setting> all = new TreeMap<>();
        DEFAULTS.forEach((name, value) -> all.put(name, new Setting(List.of(value), "default")));
        if (turnsTlsOn(flags)) {
            String directory = certificates(environment);
            TLS_FILES.forEach((name, value) -> all.put(name, new Setting(List.of(directory + value), "default")));
        }
        file.map().forEach((name, value) -> all.put(name, setting(name, flat(value), "file")));
        flags.forEach((name, values) -> all.put(name, setting(name, values, "flag")));
        return all;
    }

    /// Only flags that switch TLS on have files by default; `tlsverify` does so with any value.
    private static boolean turnsTlsOn(Map<String, List<String>> flags) {
        return flags.containsKey("tlsverify")
                || flags.getOrDefault("tls", List.of()).contains("true");
    }

    /// The directory of a client's settings, which dockerd takes for its own.
    private static String certificates(Function<String, Optional<String>> environment) {
        return Stream.of("DOCKER_CERT_PATH", "DOCKER_CONFIG")
                .flatMap(name -> environment.apply(name).stream())
                .filter(value -> !value.isEmpty())
                .findFirst()
                .orElseGet(() -> environment
                                .apply("HOME")
                                .filter(value -> !value.isEmpty())
                                .orElse("/root")
                        + "/.docker");
    }

    /// Options of log drivers, proxies and storage drivers may hold passwords.
    private static Setting setting(String name, List<String> values, String source) {
        return new Setting(
                values.stream()
                        .map(Variables::withoutSecret)
                        .map(value -> Variables.value(name, value))
                        .toList(),
                source);
    }

    /// The file that the flags name, else the usual one. A dockerd that rootlesskit started has it in the
    /// directory of its user's settings.
    /// @param environment the variables of the process
    static String file(List<String> arguments, Function<String, Optional<String>> environment) {
        List<String> named = flags(arguments).getOrDefault("config-file", List.of());
        if (!named.isEmpty()) {
            return named.getLast();
        }
        if (environment
                .apply("ROOTLESSKIT_STATE_DIR")
                .filter(value -> !value.isEmpty())
                .isEmpty()) {
            return EngineFacts.DEFAULT_FILE;
        }
        return environment
                .apply("XDG_CONFIG_HOME")
                .filter(directory -> directory.startsWith("/"))
                .or(() -> environment
                        .apply("HOME")
                        .filter(home -> home.startsWith("/"))
                        .map(home -> home + "/.config"))
                .map(directory -> directory + "/docker/daemon.json")
                .orElse(EngineFacts.DEFAULT_FILE);
    }

    public static Map<String, List<String>> flags(List<String> arguments) {
        Map<String, List<String>> all = new TreeMap<>();
        for (int at = 1; at < arguments.size(); at++) {
            String argument = arguments.get(at);
            if (!argument.startsWith("-") || argument.equals("--")) {
                continue;
            }
            String body = argument.startsWith("--") ? argument.substring(2) : argument.substring(1);
            int equals = body.indexOf('=');
            String name = equals < 0 ? body : body.substring(0, equals);
            String value = equals < 0 ? null : body.substring(equals + 1);
            if (!argument.startsWith("--")) {
                if (name.length() > 1) {
                    value = body.substring(1).replaceFirst("^=", "");
                    name = name.substring(0, 1);
                }
                name = SHORT.getOrDefault(name, name);
            }
            if (value == null) {
                if (SWITCHES.contains(name) || at + 1 == arguments.size()) {
                    value = "true";
                } else {
                    at++;
                    value = arguments.get(at);
                }
            }
            boolean repeatable = PLURAL.containsKey(name);
            List<String> values = all.computeIfAbsent(PLURAL.getOrDefault(name, name), key -> new ArrayList<>());
            if (!repeatable) {
                values.clear();
            }
            values.add(SWITCHES.contains(name) ? truth(value) : value);
        }
        return all;
    }

    /// Reads a truth value as Go's strconv.ParseBool does.
    private static String truth(String value) {
        return switch (value) {
            case "1", "t", "T", "TRUE", "true", "True" -> "true";
            case "0", "f", "F", "FALSE", "false", "False" -> "false";
            case String other -> other;
        };
    }

    private static List<String> flat(Tree value) {
        if (!value.list().isEmpty()) {
            return value.list().stream().map(item -> item.textOr("")).toList();
        }
        if (!value.map().isEmpty()) {
            return value.map().entrySet().stream()
                    .map(entry ->
                            entry.getKey() + "=" + entry.getValue().text().orElseGet(() -> limits(entry.getValue())))
                    .sorted()
                    .toList();
        }
        return value.text().map(List::of).orElse(List.of());
    }

    private static String limits(Tree value) {
        return value.at("Soft").textOr("") + ":" + value.at("Hard").textOr("");
    }
}
