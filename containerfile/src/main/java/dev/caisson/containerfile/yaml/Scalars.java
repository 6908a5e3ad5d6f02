package dev.caisson.containerfile.yaml;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/// Reads typed settings out of YAML mappings.
public final class Scalars {
    private Scalars() {}

    /// The text of a scalar that is there and not null.
    public static Optional<Setting<String>> text(YamlMap map, String key) {
        return map.entry(key)
                .filter(entry ->
                        entry.value() instanceof YamlScalar && !entry.value().isNull())
                .map(entry -> new Setting<>(((YamlScalar) entry.value()).value(), entry.place()));
    }

    /// The text of a scalar; empty where there is none.
    public static String plain(YamlMap map, String key) {
        return map.scalar(key).map(YamlScalar::value).orElse("");
    }

    /// `true` and `false`, and the words that YAML 1.1 has for them.
    public static Optional<Setting<Boolean>> flag(YamlMap map, String key, FileError error) {
        return text(map, key).map(setting -> new Setting<>(isTrue(setting, error), setting.place()));
    }

    /// The meaning of a flag's text.
    /// @throws ContainerFileException where it is neither true nor false
    public static boolean isTrue(Setting<String> setting, FileError error) {
        return switch (setting.value().toLowerCase(Locale.ROOT)) {
            case "true", "yes", "on", "y", "1" -> true;
            case "false", "no", "off", "n", "0", "" -> false;
            default -> throw new ContainerFileException(error, setting.place(), "This must be true or false.");
        };
    }

    /// A value that `read` understands.
    /// @throws ContainerFileException with the place of one that it does not
    public static <T> Optional<Setting<T>> value(
            YamlMap map, String key, Function<String, Optional<T>> read, FileError error, String what) {
        return text(map, key)
                .filter(setting -> !setting.value().isBlank())
                .map(setting -> new Setting<>(
                        read.apply(setting.value())
                                .orElseThrow(() -> new ContainerFileException(
                                        error, setting.place(), "The value of " + key + " must be " + what + ".")),
                        setting.place()));
    }

    /// The scalars of a list, or a lone scalar.
    public static List<Setting<String>> list(YamlMap map, String key) {
        return map.get(key).stream()
                .flatMap(value -> value instanceof YamlSeq seq ? seq.items().stream() : List.of(value).stream())
                .filter(YamlScalar.class::isInstance)
                .map(YamlScalar.class::cast)
                .map(scalar -> new Setting<>(scalar.value(), scalar.place()))
                .toList();
    }
}
