package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OptionsLoaderFlagTest {
  @Test
  void shouldStartWithDefaultsWithoutArguments() {
    assertEquals(Options.defaults(), Loading.run());
  }

  @Test
  void shouldTakeOneOrTwoDashesAndValuesAttachedOrNext() {
    for (String[] args :
        List.of(
            new String[] {"--msg-timeout=5s"},
            new String[] {"-msg-timeout=5s"},
            new String[] {"--msg-timeout", "5s"},
            new String[] {"-msg-timeout", "5s"},
            new String[] {"--msg-timeout", "5s", "--"})) {
      assertEquals(5000, Loading.run(args).msgTimeoutMs());
    }
  }

  @Test
  void shouldTakeBooleansBareOrAttachedOnly() {
    assertTrue(Loading.run("--statsd-exclude-ephemeral").isStatsdExcludeEphemeral());
    assertTrue(Loading.run("-statsd-exclude-ephemeral=T").isStatsdExcludeEphemeral());
    assertFalse(Loading.run("--snappy=0").isSnappy());
    assertEquals(2, Loading.fail("--snappy", "false").exitCode());
  }

  @Test
  void shouldLetTheLastOfRepeatedFlagsWinAndListsGrow() {
    assertEquals(2, Loading.run("--mem-queue-size=1", "--mem-queue-size=2").memQueueSize());
    assertEquals(
        List.of("a:1", "b:2", "c:3"),
        Loading.run("--lookupd-tcp-address=a:1", "--lookupd-tcp-address", "b:2,c:3")
            .lookupdTcpAddresses());
    assertEquals(
        List.of(1.0, 0.99, 0.5),
        Loading.run(
                "--e2e-processing-latency-percentile=0.5,1",
                "--e2e-processing-latency-percentile=.99")
            .e2eProcessingLatencyPercentiles());
  }

  @Test
  void shouldTakeAnEmptyOrDashedValue() {
    assertEquals("", Loading.run("--log-prefix=").logPrefix());
    assertEquals("-x", Loading.run("--log-prefix", "-x").logPrefix());
    assertEquals("a=b", Loading.run("--log-prefix=a=b").logPrefix());
    assertTrue(Loading.run("--http-address=").httpAddress().isEmpty());
  }

  static Stream<Arguments> badFlags() {
    return Stream.of(
        Arguments.of("--bogus", "unknown flag \"--bogus\": --help lists the accepted ones"),
        Arguments.of(
            "--msg-timeuot=1s", "unknown flag \"--msg-timeuot\": did you mean --msg-timeout?"),
        Arguments.of(
            "--mem_queue_size=1",
            "unknown flag \"--mem_queue_size\": did you mean --mem-queue-size?"),
        Arguments.of("---x", "bad flag \"---x\": accepted is --name or --name=value"),
        Arguments.of("-=1", "bad flag \"-=1\": accepted is --name or --name=value"),
        Arguments.of(
            "--mem-queue-size",
            "--mem-queue-size needs a value: accepted is --mem-queue-size=value"),
        Arguments.of(
            "--mem-queue-size=many",
            "bad value \"many\" for --mem-queue-size: accepted is a whole number, 0 to 2147483647"),
        Arguments.of(
            "--msg-timeout=60",
            "bad value \"60\" for --msg-timeout: accepted is a duration such as 250ms, 1.5s or"
                + " 1h30m, 1ms or more"),
        Arguments.of("--deflate=yes", "bad value \"yes\" for --deflate: accepted is true or false"),
        Arguments.of("--version=x", "bad value \"x\" for --version: accepted is true or false"),
        Arguments.of(
            "--log-level=loud",
            "bad value \"loud\" for --log-level: accepted is debug, info, warn, error or fatal"),
        Arguments.of(
            "--tls-min-version=ssl3.0",
            "bad value \"ssl3.0\" for --tls-min-version: accepted is tls1.0, tls1.1, tls1.2 or"
                + " tls1.3"),
        Arguments.of(
            "--tls-required=maybe",
            "bad value \"maybe\" for --tls-required: accepted is true, false or tcp-https"),
        Arguments.of(
            "--durability=maybe",
            "bad value \"maybe\" for --durability: accepted is written or synced"),
        Arguments.of(
            "--max-msg-size=1X",
            "bad value \"1X\" for --max-msg-size: accepted is bytes such as 65536 or 64KiB, 1 to"
                + " 67108864"),
        Arguments.of(
            "--e2e-processing-latency-percentile=0.9,x",
            "bad value \"0.9,x\" for --e2e-processing-latency-percentile: accepted is quantiles"
                + " above 0 and up to 1, such as 0.99,0.95"),
        Arguments.of(
            "start", "stray argument \"start\": accepted are flags only, as --help lists them"),
        Arguments.of("-", "stray argument \"-\": accepted are flags only, as --help lists them"));
  }

  @ParameterizedTest
  @MethodSource("badFlags")
  void shouldRefuseBadFlagsWithExitCode2(String arg, String message) {
    assertEquals(new Parsed.Fail("holdfast: " + message, 2), OptionsLoader.parse(arg));
  }

  @Test
  void shouldRefuseWordsBehindTheFlags() {
    assertEquals(2, Loading.fail("--snappy", "word", "--bogus").exitCode());
    assertTrue(Loading.fail("--", "--snappy").message().contains("stray argument \"--snappy\""));
  }

  @Test
  void shouldPrintVersionOnlyOnceAllFlagsAreGood() {
    Parsed.Print print =
        assertInstanceOf(Parsed.Print.class, OptionsLoader.parse("--version", "--config=missing"));
    String java = Integer.toString(Runtime.version().feature());
    assertEquals(
        "nsqd v1.3.0 (built w/java" + java + ")\nholdfast vdev (Java " + Runtime.version() + ")",
        print.text());
    assertEquals(0, print.exitCode());
    assertEquals(2, Loading.fail("--version", "--bogus").exitCode());
    assertInstanceOf(Parsed.Run.class, OptionsLoader.parse("--version=false"));
  }

  @Test
  void shouldPrintEveryOptionForHelp() {
    for (String flag : List.of("--help", "-help", "-h", "--h")) {
      Parsed.Print print =
          assertInstanceOf(Parsed.Print.class, OptionsLoader.parse(flag, "--bogus"));
      assertEquals(0, print.exitCode());
      for (OptionSpec spec : OptionTable.all()) {
        assertTrue(print.text().contains("--" + spec.flag()), spec.flag());
        assertTrue(print.text().contains(spec.help()), spec.flag());
      }
      assertTrue(print.text().lines().allMatch(line -> line.length() <= 130), "lines too long");
    }
  }
}
