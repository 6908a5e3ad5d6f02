package dev.caisson.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// What zstd 1.5 made of contents that are computed here: with a code and tables of its own, and at its lowest level.
final class ZstdSamples {
    private static final List<String> WORDS = List.of(
            "the quick brown fox jumps over the lazy dog and then some more words come along to fill the block with literals"
                    .split(" "));
    private static final int[] CONTENTS = {0, 1, 2, 1};

    /// In Base64.
    static final List<String> PACKED = List.of(
            "KLUv/QRo5QAAqHRoZSBxdWljayBicm93biBmb3ggdAEAYUdNJtn2fbs=",
            "KLUv/QRoDRAAkoUREpDPAWCDTchOMMNMu7u7IGYOIVD8/w17g7Zkgg0eiQiOd8rmg9G/oASSjk9ElJV4h25UmNUXyO"
                    + "R98SPzTNbFYMBe0ExODIEFqIEvSJJhOyEIwnAoC2oPIQybEaS4sEk62rV1sRoCgPVQ2bkt3P9BjFpi2m4nKG770zKO"
                    + "j7DfQVrS+wP/pLr3DT8E6dexiywRsVGeMfOBBos4kRuUHyHIzXW2lLmjAXw7zX4zTxH2VhalN7oW6s+1EDY+qRmPD3"
                    + "9uJ8vKifaIGWq0X4xUqMopKtG9UjUzhsiyGKYyfxA/rOcP+YIXQ8kXju3U1FEXdvww2eVmGLImzxLHpHaiv03QTLm8"
                    + "NjGX2pzMhBKZURHB2e9p72RL1ehChFu+DI0Qp+1S3+Ms1LJ/vIIdzkYgOxU6M8J22cS8w574KrKPnIL+xchdUc330h"
                    + "RTgLHkltxitOCtI4rUFLcSDiR+IRAH6SaiL8CGl8tQEZJhsmdxKUfL7F1p1B7ua4RzQI75m5BYKUwWIoqbS07NEkeD"
                    + "Wx5dNUvam25eD38sHEkHxC4E1vR4jXHtHsip8foMXaOg8JQk4Sj9Zz8m8H46N15NxoqD07jIB+cwKLKwwDDCKt+UvE"
                    + "BlEFCEpg8J5ACl7s1yx4QspPFkh1YFSFMFHylm+7fgFsVooNadiCfk5WEQJgbOt65+tVyLrg==",
            "KLUv/QRoHSoAOrq4FArgtB0oBAa7mz4pSgFDAUgBZgCsR/LijpYA+dDJZ7svzn7+51ntF533tHKLC2jFpF3jvw+EEN"
                    + "zSrGj7y75Y323NzzNb7C8ni4b2L/DALwpECmp5JCfG5SSF8Z5pZb+djCxXBHxSFo2P2HpMMZMavHt+f+r+X+hgJPOi"
                    + "8uLzLBpJq/nMnxg6Hzr9DQ9zuPrDPKVC9l+tyyDpUa6Vat09audcFdlOn2cLsfQoquUg1YunTQQUl59rwYRSpxCXtX"
                    + "yVTZfz7dT5hfEN7vOMKIYzTJyp3z0AmUkA82OF0if6oqzavqdWB1AHet0sDHAVmYkO5Ac7lNBnGet22NiHPlE0N4Dm"
                    + "uc+1zM3kmUPskAYDth+Xe5uLc5PuJOW+O88HW7nVfZCkc9u975dc+1wOxrboyCtxgO4IvegqMamR5gaUn/Vmy36itD"
                    + "L6CRJfFO4r4sOdvyU4857k9n8dz4QWN7yhK9zI7/1+/i9TM9VHwI+7e/k75RlEwnr1j6M5P/t9ssi/zCONKJgOlc9L"
                    + "lnPz1MXuIgSrUjki6dwwyvs+g1fU/f4zi61Zn9t28mlAaH/Y/su2/0to0DfFmN7kpwtELTnDOUnDXlc/SpCNGXozNt"
                    + "O/NHn/YYjhtd5mp6e/oGE+7zDEEdtcIskuO7cjU2sRHxXAUHcqNKxm0/X39+9i2gWnHTOZVdovr29kJ3h5QqCkmoMv"
                    + "RBT4RYyC3CdzxiUv2ZIqqJbOmurwbWoZY1je4+v89Z/phY0ykvkprOczCTNW76QElRc6f9Ol4+eJCqKf7v0ZPnGwqd"
                    + "3+LlriM6vMDksY9pkJ9PnnVh7uAmhcGrxfZP9OD6xn3n/3JQbeDn8dPozPb/gy2s7rURuwLa8INlugNBOvBUnAj0y7"
                    + "x2ytbiCvRiC1q66p7T6pjfQwoK0QpOueGJ40kf+a1RIDHbHWY0gaRRculCTLj0QSDdHSTnhyMZcPOHnbzj3rYbl1M6"
                    + "yG3TUDiYrcnf2cAmZL4FtO14lxTBhAw2dwK4zMmx/7+rEx8JkTbe6/GvhrYfnJ8BNZBFBEVKtdDbnZ5fA2bgN5hRSf"
                    + "orTFVC2fh8/xD7kz4RC6mH9sN+hOhKI42kkMvrQx9qbhD8Zp26d1UE2b3NPR55SmjvRWPeFDIDuC79DJbYDkw18PQs"
                    + "HTsdm2rK/NraF2Ic4wZllzfZG3L4Ds3D6uXEoCMjlm3s4hSW+72ejb5Cf/lQ8AXn5xJ/v4QFZDOfAdETkPH5R+vZxl"
                    + "WCeBx5Yl/9uMLCDzRls2VmK9nKV+y1uK/v5e2C32wR5sIEw3S5Vnb/HvuVLzYgPOX/Rt6q1Z2WZgFMprMyBPf1UG54"
                    + "kcx5wN57c9Xt9QdK5Bc9LTrmOYMrb92UVk5aN2/SgU5brT+5eU4wJGvjMFJ825XCDM0v8uv86WZuWb5/Iy8gVTdJMv"
                    + "4KnuNx0BvwK1b4eJT7zs5uRO27aB7dP0zE55bO2ofMx5QbjKgu5PRw0RDPoXJjBOyyjbgIHpNvd8epQcFvZXj6Aazn"
                    + "R4BYvHBhanpeWFi9m/uPKrwRsrbk8DW6A6ocwtLx+rbyy3f4QM+3+rZ/iLXYSy7LcnIEMx51CWB0awDrJDbBPQk4rO"
                    + "MhF762hSZDpqcBp2Z317oxvtgUo9sz8L+ts8ySdTU0ne8nBt3egiu9XEvyHO0mzsg/5W65icvX9J+kXtcSGg933GDN"
                    + "BLZsQUI591vob5yaphmDxvebxtd/hsFBFuLXQsfqI/XA2z9zeqSZ6XD/BWvj+nUP0i8TEvxkxnYgQATJ1rmHwEQOWA"
                    + "XCPVG8AU47UQaA==",
            "KLUv/QRIdRUA1mFRFpC1bYZvv38jTBL52EQk0vn//+fzXzlJAEoASQB6xr2Oq4BuvrQmsOitQl9ao5sJ0x9Gt3VcBa"
                    + "9L68GoQuC06vBgjoJtlbwxojpel3bw48sTPn1az7gvb5CkoG0VX1ojSUFfWl/al3Zd2jxxs55xo5svb9ZxFdDN6GZE"
                    + "dWyrEKY/Lm1a2yoe/PjS+vSJ1rH48sYrkAUASQoarWNBN69Le3li8GO0jsVW0TN+aQNZABxPf/XpwahCoE+nVcdgjg"
                    + "KSFBz8GN2QpOgZH8zRVvHX65I+06pj8HP6NLqlVYcvT/j79enTlzZPGN2cVh1GVMdWQZKC1jPur9Et6ObLm8EchcsT"
                    + "ptczbtZvkKSgrZJWHYEsAIMff7/69ODHRCALAKI6eeL7NZIU4qsKQZ4YjCoEty+iOojqBLIArGPRM5431jPuwRwFDY"
                    + "CjqNENYtKIiIgkSQrpIEJCCHJQDxAQImAMGiWtAbqOECJBpOqi3KL9FQdGmC5MWpGyEGEbWXHMlI6w9qD54tcPRXUW"
                    + "TeCVfelHE+0SEbbtuRf7sXKNeF4E8Qj1UcyltowV0LJFji17zVtzxSJC4NSbsVgtzXLfvTam6XgrPD0KfLm9Bo0ZaG"
                    + "MjmKgyshIMXqFAR7BT0H4I518XhTGY+CJS89lgBNwKH7xfk9QXjVIyO6VkRUmxSRZpA7FZYoJERhC/qv0l27RvrzAs"
                    + "m0MR48AJofgoAuI89KRkl+lk9WqwcWMgG2xc2v3bEcGpSkG1POQu6zGKzLBDITApqojlio2G5E1GBA3Tcd+qCPTom7"
                    + "4cHMtQbm/nl1rlm2C268br+WNfUWaOCSvnjMXG74pNivMvjKk39FZUFCYt3Z+mKEwfPm1zQ5FiEGeLHEs6FGy0lgmv"
                    + "AQXtyItMZFb/fPWW+7qEKGpVdX+1XIuu");

    private ZstdSamples() {}

    static byte[] unpacked(int sample) {
        return switch (CONTENTS[sample]) {
            case 0 -> "the quick brown fox ".repeat(10).getBytes(StandardCharsets.US_ASCII);
            case 1 -> words();
            default -> numbers();
        };
    }

    private static int next(int random) {
        return (int) ((random * 1103515245L + 12345) & 0x7fffffff);
    }

    private static byte[] words() {
        var text = new StringBuilder();
        int random = 12345;
        for (int i = 0; i < 400; i++) {
            random = next(random);
            text.append(i == 0 ? "" : " ").append(WORDS.get((random >> 16) % WORDS.size()));
        }
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] numbers() {
        var out = new ByteArrayOutputStream();
        int random = 99;
        for (int i = 0; i < 3000; i++) {
            random = next(random);
            out.write((random >> 20) % 7 * ((random >> 16) % 5));
        }
        return out.toByteArray();
    }
}
