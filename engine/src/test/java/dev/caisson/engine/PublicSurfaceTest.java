package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.seccomp.LearnedProfile;
import dev.caisson.seccomp.Profile;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// The types that a caller of the engine meets: those that it names, and those that their public members name. They are
/// the interface that stays compatible, so that a type comes to it on purpose only.
class PublicSurfaceTest {
    private static final Path LIST = Path.of(System.getProperty("caisson.root"), "docs/public-types.txt");

    /// Printed, passed on or parsed from text; their parts are for Caisson's own modules.
    private static final Set<Class<?>> WHOLE = Set.of(Profile.class, LearnedProfile.class);

    @Test
    void the_types_that_a_caller_meets_are_those_of_the_list() throws IOException {
        List<String> listed = Files.readAllLines(LIST);
        assertThat(met(Engine.class, ScriptedRunner.class, EngineException.class))
                .as("docs/public-types.txt lists what embedders meet")
                .containsExactlyElementsOf(listed);
    }

    /// A program on the module path cannot name them: they are Caisson's own modules'.
    @Test
    void what_a_caller_is_handed_and_cannot_name_is_this_alone() {
        SortedSet<String> hidden = new TreeSet<>();
        for (Class<?> type : List.of(Engine.class, Container.class, RunResult.class, ContainerSpec.class)) {
            for (Method method : type.getDeclaredMethods()) {
                if (Modifier.isPublic(method.getModifiers()) && !method.isSynthetic()) {
                    Deque<Class<?>> named = new ArrayDeque<>();
                    add(named, method.getGenericReturnType());
                    add(named, method.getGenericParameterTypes());
                    named.stream()
                            .filter(one -> isOurs(one) && !isExported(one))
                            .forEach(one -> hidden.add(one.getName()));
                }
            }
        }
        assertThat(hidden).containsExactly("dev.caisson.launch.HostFacts", "dev.caisson.launch.LaunchPlan");
    }

    private static boolean isOurs(Class<?> type) {
        return type.getName().startsWith("dev.caisson.");
    }

    private static boolean isExported(Class<?> type) {
        return type.getModule().isExported(type.getPackageName());
    }

    private static SortedSet<String> met(Class<?>... roots) {
        var met = new TreeSet<String>();
        Deque<Class<?>> left = new ArrayDeque<>(List.of(roots));
        while (!left.isEmpty()) {
            Class<?> type = left.pop();
            if (isOurs(type) && isExported(type) && Modifier.isPublic(type.getModifiers()) && met.add(type.getName())) {
                if (WHOLE.contains(type)) {
                    continue;
                }
                for (Method method : type.getDeclaredMethods()) {
                    if (Modifier.isPublic(method.getModifiers()) && !method.isSynthetic()) {
                        add(left, method.getGenericReturnType());
                        add(left, method.getGenericParameterTypes());
                    }
                }
                for (Constructor<?> constructor : type.getConstructors()) {
                    add(left, constructor.getGenericParameterTypes());
                }
                add(left, type.getInterfaces());
                if (type.getSuperclass() != null) {
                    left.add(type.getSuperclass());
                }
                if (type.isSealed()) {
                    add(left, type.getPermittedSubclasses());
                }
            }
        }
        return met;
    }

    private static void add(Deque<Class<?>> left, Type... types) {
        for (Type type : types) {
            switch (type) {
                case Class<?> known when known.isArray() -> left.add(known.getComponentType());
                case Class<?> known -> left.add(known);
                case ParameterizedType generic -> {
                    add(left, generic.getRawType());
                    add(left, generic.getActualTypeArguments());
                }
                case WildcardType wildcard -> add(left, wildcard.getUpperBounds());
                case GenericArrayType array -> add(left, array.getGenericComponentType());
                case TypeVariable<?> variable ->
                    Arrays.stream(variable.getBounds())
                            .filter(bound -> bound instanceof Class<?>)
                            .forEach(bound -> left.add((Class<?>) bound));
                default -> throw new AssertionError(type);
            }
        }
    }
}
