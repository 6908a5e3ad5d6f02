package dev.caisson.containerfile.workload;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.HealthCheck;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.RunAs;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.SourceTree;
import dev.caisson.containerfile.build.EffectiveImage;
import dev.caisson.containerfile.compose.ComposeProject;
import dev.caisson.containerfile.compose.ComposeService;
import dev.caisson.containerfile.compose.ComposeShape;
import dev.caisson.containerfile.compose.ComposeValues;
import dev.caisson.containerfile.workload.Workload.Limits;
import dev.caisson.containerfile.workload.Workload.LogBound;
import dev.caisson.containerfile.workload.Workload.Privileges;
import dev.caisson.containerfile.workload.Workload.Variable;
import dev.caisson.containerfile.yaml.Scalars;
import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// The services of a compose project as workloads. The short limits (`mem_limit`) and those of `deploy` count alike:
/// compose applies both.
public final class ComposeWorkloads {
    private static final FileError VALUE = FileError.COMPOSE_VALUE;
    private static final Set<String> BOUNDED_DRIVERS =
            Set.of("none", "local", "journald", "syslog", "fluentd", "gelf", "awslogs", "gcplogs", "splunk", "etwlogs");

    private final ComposeProject project;
    private final ComposeBuilds builds;

    private ComposeWorkloads(ComposeProject project, ComposeBuilds builds) {
        this.project = project;
        this.builds = builds;
    }

    /// All services, those of any profile.
    /// @param tree where Dockerfiles and environment files are read
    public static List<Workload> of(ComposeProject project, SourceTree tree, BaseImages images) {
        ComposeWorkloads workloads = new ComposeWorkloads(project, new ComposeBuilds(project, tree, images));
        return project.services().values().stream().map(workloads::workload).toList();
    }

    private Workload workload(ComposeService service) {
        YamlMap body = service.body();
        Optional<EffectiveImage> built = builds.image(service);
        return new Workload(
                new WorkloadOrigin.Compose(project, service),
                "service " + service.name(),
                service.key().place(),
                extent(service),
                Scalars.text(body, "image"),
                built,
                runAs(service, built),
                limits(body),
                privileges(body),
                ComposeNamespaces.of(project, service),
                Scalars.flag(body, "read_only", VALUE),
                mounts(service),
                devices(body),
                ComposePorts.of(body),
                pairs(body, "sysctls").stream()
                        .map(pair ->
                                new Setting<>(pair.name() + "=" + pair.value().orElse(""), pair.place()))
                        .toList(),
                builds.environment(service),
                arguments(body),
                asides(body),
                labels(body),
                health(body, built),
                restart(body),
                logging(body));
    }

    /// Its own mounts, those of the services that it takes volumes from, and the engine's socket where it asks for it.
    private List<Workload.Mount> mounts(ComposeService service) {
        YamlMap body = service.body();
        List<Workload.Mount> mounts = new ArrayList<>(ComposeMounts.of(project, body));
        for (Setting<String> from : Scalars.list(body, "volumes_from")) {
            String[] parts = from.value().split(":", -1);
            ComposeService other = project.services().get(parts[0]);
            if (other != null && !other.name().equals(service.name())) {
                boolean readOnly = parts[parts.length - 1].equals("ro");
                ComposeMounts.of(project, other.body()).stream()
                        .map(mount -> mount.at(from.place(), mount.readOnly() || readOnly))
                        .forEach(mounts::add);
            }
        }
        Scalars.flag(body, "use_api_socket", VALUE)
                .filter(Setting::value)
                .ifPresent(asked -> mounts.add(ComposeMounts.engineSocket(asked.place())));
        return List.copyOf(mounts);
    }

    private static Place extent(ComposeService service) {
        Place key = service.key().place();
        YamlMap first = service.definitions().getFirst();
        return first.place().source() == key.source() && first.place().end() > key.start()
                ? key.source().place(key.start(), first.place().end())
                : key;
    }

    private static RunAs runAs(ComposeService service, Optional<EffectiveImage> built) {
        Optional<Setting<String>> user = Scalars.text(service.body(), "user");
        Place place = service.key().place();
        if (user.isEmpty() || user.get().value().isBlank()) {
            return built.map(EffectiveImage::runAs)
                    .orElseGet(() -> new RunAs.Unknown(
                            user.map(Setting::place).orElse(place), "no user is set, so the image's own holds"));
        }
        String name = user.get().value().split(":", -1)[0].strip();
        boolean numeric = !name.isEmpty() && name.chars().allMatch(c -> c >= '0' && c <= '9');
        boolean root = name.equals("root") || (numeric && name.chars().allMatch(c -> c == '0'));
        return root
                ? new RunAs.Root(user.get().place(), "user is " + name)
                : new RunAs.Other(user.get().place(), name, numeric, "user is " + name);
    }

    private static Limits limits(YamlMap body) {
        Optional<YamlMap> deployed =
                body.map("deploy").flatMap(deploy -> deploy.map("resources")).flatMap(all -> all.map("limits"));
        return new Limits(
                Scalars.value(body, "mem_limit", Quantity::bytes, VALUE, "an amount of bytes as 512m")
                        .or(() -> deployed.flatMap(limits ->
                                Scalars.value(limits, "memory", Quantity::bytes, VALUE, "an amount of bytes as 512m"))),
                cpus(body)
                        .or(() -> deployed.flatMap(limits ->
                                Scalars.value(limits, "cpus", Quantity::decimal, VALUE, "a number of cores"))),
                Scalars.value(body, "pids_limit", Quantity::whole, VALUE, "a whole number")
                        .or(() -> deployed.flatMap(
                                limits -> Scalars.value(limits, "pids", Quantity::whole, VALUE, "a whole number"))),
                body.map("storage_opt")
                        .flatMap(options ->
                                Scalars.value(options, "size", Quantity::bytes, VALUE, "an amount of bytes as 10g")));
    }

    /// `cpus`, or `cpu_quota` over `cpu_period`, or the number of CPUs in `cpuset`. `cpu_shares` bounds nothing.
    private static Optional<Setting<Double>> cpus(YamlMap body) {
        return Scalars.value(body, "cpus", Quantity::decimal, VALUE, "a number of cores")
                .or(() -> Scalars.value(body, "cpu_quota", Quantity::decimal, VALUE, "a time in microseconds")
                        .map(quota -> new Setting<>(
                                quota.value()
                                        / Scalars.value(
                                                        body,
                                                        "cpu_period",
                                                        Quantity::decimal,
                                                        VALUE,
                                                        "a time in microseconds")
                                                .map(Setting::value)
                                                .filter(period -> period > 0)
                                                .orElse(100_000.0),
                                quota.place())))
                .or(() -> Scalars.text(body, "cpuset").map(set -> new Setting<>(1.0, set.place())));
    }

    private static Privileges privileges(YamlMap body) {
        List<Setting<String>> options = Scalars.list(body, "security_opt");
        Optional<Setting<Boolean>> noNewPrivileges = Optional.empty();
        Optional<Setting<String>> seccomp = Optional.empty();
        List<Setting<String>> lsm = new ArrayList<>();
        for (Setting<String> option : options) {
            String[] parts = option.value().split("[:=]", 2);
            String value = parts.length > 1 ? parts[1].strip() : "";
            switch (parts[0].strip()) {
                case "no-new-privileges" ->
                    noNewPrivileges = Optional.of(new Setting<>(!value.equals("false"), option.place()));
                case "seccomp" -> seccomp = Optional.of(new Setting<>(value, option.place()));
                case "apparmor", "label" -> lsm.add(new Setting<>(parts[0].strip() + "=" + value, option.place()));
                default -> {
                    // systempaths and mask are told by the rule on masked paths
                }
            }
        }
        return new Privileges(
                Scalars.flag(body, "privileged", VALUE),
                capabilities(body, "cap_add"),
                capabilities(body, "cap_drop"),
                noNewPrivileges,
                seccomp,
                List.copyOf(lsm));
    }

    static List<Setting<String>> capabilities(YamlMap body, String key) {
        return Scalars.list(body, key).stream()
                .map(name -> new Setting<>(capability(name.value()), name.place()))
                .toList();
    }

    static String capability(String name) {
        String upper = name.strip().toUpperCase(Locale.ROOT);
        return upper.startsWith("CAP_") ? upper.substring(4) : upper;
    }

    private static List<Setting<String>> devices(YamlMap body) {
        List<Setting<String>> devices = new ArrayList<>(Scalars.list(body, "devices"));
        body.maps("devices").forEach(device -> Scalars.text(device, "source").ifPresent(devices::add));
        Scalars.list(body, "device_cgroup_rules")
                .forEach(rule -> devices.add(new Setting<>("rule " + rule.value(), rule.place())));
        return List.copyOf(devices);
    }

    static List<Variable> pairs(YamlMap body, String key) {
        return body.get(key).map(ComposeShape::pairs).stream()
                .filter(YamlMap.class::isInstance)
                .flatMap(map -> ((YamlMap) map).entries().entrySet().stream())
                .filter(entry -> entry.getValue().value() instanceof YamlScalar)
                .map(entry -> {
                    YamlScalar value = (YamlScalar) entry.getValue().value();
                    return new Variable(
                            entry.getKey(),
                            value.isNull() ? Optional.empty() : Optional.of(value.value()),
                            value.outside(),
                            Optional.empty(),
                            entry.getValue().place());
                })
                .toList();
    }

    private static List<Setting<String>> arguments(YamlMap body) {
        List<Setting<String>> arguments = new ArrayList<>(Scalars.list(body, "entrypoint"));
        arguments.addAll(Scalars.list(body, "command"));
        return List.copyOf(arguments);
    }

    private static List<List<Setting<String>>> asides(YamlMap body) {
        return Stream.concat(
                        body.map("healthcheck").map(ComposeWorkloads::test).stream(),
                        Stream.of("post_start", "pre_stop")
                                .flatMap(hooks -> body.maps(hooks))
                                .map(hook -> Scalars.list(hook, "command")))
                .filter(words -> !words.isEmpty())
                .toList();
    }

    /// The command of a health check, without the word that says how it is run.
    private static List<Setting<String>> test(YamlMap check) {
        List<Setting<String>> words = Scalars.list(check, "test");
        boolean form = !words.isEmpty() && words.getFirst().value().matches("NONE|CMD|CMD-SHELL");
        return form ? words.subList(1, words.size()) : words;
    }

    private static List<Variable> labels(YamlMap body) {
        Map<String, Variable> labels = new LinkedHashMap<>();
        pairs(body, "labels").forEach(label -> labels.put(label.name(), label));
        body.map("deploy")
                .ifPresent(deploy -> pairs(deploy, "labels").forEach(label -> labels.put(label.name(), label)));
        return List.copyOf(labels.values());
    }

    private static Optional<Setting<HealthCheck>> health(YamlMap body, Optional<EffectiveImage> built) {
        Optional<YamlMap> check = body.map("healthcheck");
        if (check.isEmpty()) {
            return built.flatMap(EffectiveImage::health);
        }
        Place place = check.get().place();
        if (Scalars.flag(check.get(), "disable", VALUE).filter(Setting::value).isPresent()) {
            return Optional.of(new Setting<>(new HealthCheck.None(), place));
        }
        Optional<YamlNode> test = check.get().get("test");
        if (test.isEmpty()) {
            return built.flatMap(EffectiveImage::health);
        }
        return Optional.of(new Setting<>(
                switch (test.get()) {
                    case YamlScalar command when command.value().equalsIgnoreCase("NONE") -> new HealthCheck.None();
                    case YamlScalar command -> new HealthCheck.ShellForm(command.value());
                    case YamlSeq words -> healthWords(words);
                    case YamlMap map -> throw ComposeValues.shape(map, "test takes a command.");
                },
                place));
    }

    private static HealthCheck healthWords(YamlSeq seq) {
        List<String> words = ComposeValues.scalars(Optional.of(seq)).stream()
                .map(YamlScalar::value)
                .toList();
        String kind = words.isEmpty() ? "NONE" : words.getFirst();
        List<String> rest = words.isEmpty() ? words : words.subList(1, words.size());
        return switch (kind) {
            case "NONE" -> new HealthCheck.None();
            case "CMD-SHELL" -> new HealthCheck.ShellForm(String.join(" ", rest));
            default -> new HealthCheck.ExecForm(rest);
        };
    }

    private static Optional<Setting<String>> restart(YamlMap body) {
        return body.map("deploy")
                .flatMap(deploy -> deploy.map("restart_policy"))
                .flatMap(policy -> Scalars.text(policy, "condition")
                        .map(condition -> new Setting<>(
                                Scalars.text(policy, "max_attempts").isPresent()
                                        ? condition.value() + ":" + Scalars.plain(policy, "max_attempts")
                                        : condition.value(),
                                condition.place())))
                .or(() -> Scalars.text(body, "restart"));
    }

    private static Optional<Setting<LogBound>> logging(YamlMap body) {
        return body.entry("logging")
                .filter(entry -> entry.value() instanceof YamlMap)
                .map(entry -> {
                    YamlMap logging = (YamlMap) entry.value();
                    String driver =
                            logging.scalar("driver").map(YamlScalar::value).orElse("json-file");
                    boolean sized = logging.map("options")
                            .flatMap(options -> options.scalar("max-size"))
                            .filter(size ->
                                    !size.value().equals("-1") && !size.value().isBlank())
                            .isPresent();
                    return new Setting<>(
                            new LogBound(driver, sized || BOUNDED_DRIVERS.contains(driver)), entry.place());
                });
    }
}
