package io.holdfast.broker.system.support;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A wall clock for a broker's process that is wrong as the test likes, also while the process runs:
 * a library that is loaded before libc's. The monotonic clock stays. Needs gcc, or the test is
 * skipped.
 */
public final class FakeClock {
  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <fcntl.h>
      #include <stdlib.h>
      #include <sys/mman.h>
      #include <sys/time.h>
      #include <time.h>

      static volatile long *offset;

      static long seconds(void) {
        if (!offset) {
          int fd = open(getenv("FAKE_CLOCK"), O_RDONLY);
          offset = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);
        }
        return *offset;
      }

      int clock_gettime(clockid_t clock, struct timespec *time) {
        static int (*real)(clockid_t, struct timespec *);
        if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
        int result = real(clock, time);
        if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) time->tv_sec += seconds();
        return result;
      }

      int gettimeofday(struct timeval *time, void *zone) {
        static int (*real)(struct timeval *, void *);
        if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
        int result = real(time, zone);
        time->tv_sec += seconds();
        return result;
      }
      """;

  private final Path library;
  private final Path offset;

  private FakeClock(Path library, Path offset) {
    this.library = library;
    this.offset = offset;
  }

  /** Compiles the library into a directory; skips the test where that cannot be done. */
  public static FakeClock in(Path dir) {
    try {
      Path source = Files.writeString(dir.resolve("fakeclock.c"), SOURCE);
      FakeClock clock = new FakeClock(dir.resolve("fakeclock.so"), dir.resolve("fakeclock.offset"));
      clock.set(Duration.ZERO);
      Process gcc =
          new ProcessBuilder(
                  "gcc",
                  "-shared",
                  "-fPIC",
                  "-O",
                  "-o",
                  clock.library.toString(),
                  "" + source,
                  "-ldl")
              .redirectErrorStream(true)
              .start();
      String output = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!gcc.waitFor(1, TimeUnit.MINUTES) || gcc.exitValue() != 0) {
        abort("no clock to be set: gcc says " + output);
      }
      return clock;
    } catch (IOException e) {
      return abort("no clock to be set: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Makes the clock differ by so much from now on. */
  public void set(Duration from) {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
    bytes.putLong(0, from.toSeconds());
    try (FileChannel file =
        FileChannel.open(offset, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      file.write(bytes, 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a command is to be run by, see {@link BrokerProcess#under}. */
  public String[] command() {
    return new String[] {"env", "LD_PRELOAD=" + library, "FAKE_CLOCK=" + offset};
  }
}
