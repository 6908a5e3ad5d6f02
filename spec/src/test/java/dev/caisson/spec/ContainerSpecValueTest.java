package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A spec is a value: compared by all of its fields, shown without what may be secret, and refused what is null.
class ContainerSpecValueTest {
    private static final ContainerSpec SPEC = ContainerSpec.of(Image.host(), "id")
            .memory(Bytes.mebibytes(64))
            .environment("TOKEN", "hunter2")
            .label("team", "a");

    @Test
    void specs_with_the_same_fields_are_equal() {
        ContainerSpec same = ContainerSpec.of(Image.host(), List.of("id"))
                .label("team", "a")
                .environment("TOKEN", "hunter2")
                .memory(Bytes.mebibytes(64));
        assertThat(SPEC).isEqualTo(same).hasSameHashCodeAs(same);
        assertThat(SPEC).isNotEqualTo(same.environment("TOKEN", "other"));
        assertThat(SPEC).isNotEqualTo(same.readOnlyRoot(true));
    }

    @Test
    void every_field_counts() {
        List<String> declared = Arrays.stream(ContainerSpec.class.getDeclaredFields())
                .filter(field -> !Modifier.isStatic(field.getModifiers()))
                .map(field -> field.getName())
                .toList();
        assertThat(SpecFields.of(SPEC).keySet())
                .as("a new field of ContainerSpec belongs into SpecFields")
                .containsExactlyInAnyOrderElementsOf(declared);
    }

    @Test
    void its_text_has_no_value_of_a_variable() {
        assertThat(SPEC.toString())
                .startsWith("ContainerSpec[image=host, command=[id], environment=[TOKEN], limits=")
                .endsWith("labels={team=a}]")
                .doesNotContain("hunter2");
    }

    @ParameterizedTest
    @MethodSource("settersOfObjects")
    void null_is_refused_where_it_is_given(Method setter) {
        CaissonException refused = catchThrowableOfType(
                CaissonException.class, () -> invoke(setter, new Object[setter.getParameterCount()]));
        assertThat(refused).isNotNull();
        assertThat(refused.code()).isEqualTo("ARGUMENT_MISSING");
        assertThat(refused.httpStatus()).isEqualTo(400);
    }

    private static Stream<Method> settersOfObjects() {
        return Arrays.stream(ContainerSpec.class.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
                .filter(method -> method.getReturnType() == ContainerSpec.class)
                .filter(method -> Arrays.stream(method.getParameterTypes()).noneMatch(Class::isPrimitive));
    }

    @SuppressWarnings("NullAway") // on purpose
    private static void invoke(Method method, Object[] arguments) throws Throwable {
        try {
            method.invoke(SPEC, arguments);
        } catch (java.lang.reflect.InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
