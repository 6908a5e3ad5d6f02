package dev.caisson.spec;

import dev.caisson.image.ImageReference;
import dev.caisson.text.AddressText;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Makes values of a type at random, by reflection: of a record by its constructor, of a sealed type of any kind.
final class AnyValue {
    private static final int TRIES = 2_000;
    private static final List<String> TEXTS = List.of(
            "", "a", "two words", "\"\\\n\t\u0001", "grüße \u2028 \ud83d\ude00", "\udcff raw \udc80", "{}", "null");

    private static final List<String> IMAGES = List.of(
            "debian:13", "127.0.0.1:5000/a/b", "team/app@sha256:" + "0a".repeat(32), "app:1@sha256:" + "f".repeat(64));

    private final Random random;

    AnyValue(Random random) {
        this.random = random;
    }

    /// A spec in which each field, also private ones that are new, has a value of its type.
    ContainerSpec spec() throws ReflectiveOperationException {
        ContainerSpec spec = ContainerSpec.of(dev.caisson.image.Image.host());
        for (var field : ContainerSpec.class.getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers())) {
                field.setAccessible(true);
                boolean mayBeNull = field.getAnnotatedType().isAnnotationPresent(Nullable.class);
                field.set(spec, mayBeNull && random.nextInt(4) == 0 ? null : of(field.getGenericType()));
            }
        }
        return spec;
    }

    Object of(Type type) {
        for (int tries = 0; tries < TRIES; tries++) {
            try {
                return attempt(type);
            } catch (RuntimeException e) {
                // a value that the type refuses: another may do
            }
        }
        throw new AssertionError("no value of " + type + " is found; teach " + AnyValue.class.getSimpleName() + " how");
    }

    private Object attempt(Type type) {
        if (type instanceof ParameterizedType generic) {
            return ofGeneric((Class<?>) generic.getRawType(), generic.getActualTypeArguments());
        }
        Class<?> plain = (Class<?>) type;
        if (plain.isEnum()) {
            return pick(List.of(plain.getEnumConstants()));
        }
        if (plain.isSealed()) {
            return of(pick(List.of(plain.getPermittedSubclasses())));
        }
        if (plain == ImageReference.class) {
            return ImageReference.parse(pick(IMAGES));
        }
        if (plain == Subnet.class) {
            return Subnet.parse(pick(List.of("192.0.2.7/32", "10.1.0.0/16", "2001:db8::/32")));
        }
        if (plain.isRecord()) {
            return ofRecord(plain);
        }
        return switch (plain.getSimpleName()) {
            case "boolean" -> random.nextBoolean();
            case "int" -> pick(List.of(0, 10, 100, 1000, random.nextInt(100_000)));
            case "long" -> pick(List.of(1L, 1000L, 8L << 20, Long.MAX_VALUE, (long) random.nextInt(1 << 30)));
            case "String" -> text();
            case "Duration" -> Duration.ofNanos(random.nextLong());
            case "Path" -> Path.of("/" + pick(List.of("", "a", "tmp/b c", "grüße:x")));
            case "OptionalInt" -> random.nextBoolean() ? OptionalInt.empty() : OptionalInt.of((int) of(int.class));
            case "OptionalLong" -> random.nextBoolean() ? OptionalLong.empty() : OptionalLong.of((long) of(long.class));
            case "Inet4Address" -> address("192.0.2." + (1 + random.nextInt(200)));
            case "Inet6Address" -> address("2001:db8::" + (1 + random.nextInt(200)));
            case "InetAddress" -> address(pick(List.of("192.0.2.7", "2001:db8::7")));
            case "CpuList" -> CpuList.parse(random.nextInt(8) + "," + (10 + random.nextInt(5)) + "-20");
            default -> throw new AssertionError("a field of " + plain + " is new here; teach this how to make one");
        };
    }

    private static InetAddress address(String text) {
        return AddressText.parse(text).orElseThrow();
    }

    /// In half of all cases one that file names and ids take too.
    private String text() {
        return random.nextBoolean() ? pick(List.of("a", "placeholder")) + random.nextInt(1000) : pick(TEXTS);
    }

    private Object ofGeneric(Class<?> raw, Type[] types) {
        int size = random.nextInt(4);
        return switch (raw.getSimpleName()) {
            case "Optional" -> random.nextBoolean() ? Optional.empty() : Optional.of(of(types[0]));
            case "List" -> some(size, types[0]);
            case "Set" -> Set.copyOf(new LinkedHashSet<>(some(size, types[0])));
            case "Map" -> {
                Map<Object, Object> map = new LinkedHashMap<>();
                for (int i = 0; i < size; i++) {
                    map.put(types[1] == Bytes.class ? pick(List.of("2MB", "1GB")) : of(types[0]), of(types[1]));
                }
                yield map;
            }
            default -> throw new AssertionError("a field of " + raw + " is new here; teach this how to make one");
        };
    }

    private List<Object> some(int size, Type type) {
        var list = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            list.add(of(type));
        }
        return List.copyOf(list);
    }

    private Object ofRecord(Class<?> type) {
        try {
            RecordComponent[] parts = type.getRecordComponents();
            Constructor<?> made = type.getDeclaredConstructor(
                    Arrays.stream(parts).map(RecordComponent::getType).toArray(Class[]::new));
            made.setAccessible(true);
            return made.newInstance(
                    Arrays.stream(parts).map(part -> of(part.getGenericType())).toArray());
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException refused) {
                throw refused;
            }
            throw new AssertionError(e);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    private <T> T pick(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }
}
