package io.holdfast.broker.http;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;

/**
 * /debug/pprof/profile: records this JVM with the flight recorder's {@code profile} settings and
 * answers with the file. One at a time. No thread waits meanwhile.
 *
 * <p>Events that hold environment, properties or command lines, which may hold secrets, are left
 * out. Other recordings of this JVM may have asked for them, and what is recorded is recorded for
 * all: then there is no file.
 */
final class FlightRecording implements RequestHandler {
  private static final long DEFAULT_SECONDS = 30;
  private static final long MAX_SECONDS = 300;
  private static final long MAX_FILE_BYTES = 64L << 20;

  /** Environment, properties and command lines, of this process and of all others. */
  private static final Set<String> SECRETS =
      Set.of(
          "jdk.InitialEnvironmentVariable",
          "jdk.InitialSystemProperty",
          "jdk.InitialSecurityProperty",
          "jdk.JVMInformation",
          "jdk.SystemProcess",
          "jdk.ProcessStart",
          "jdk.StringFlag",
          "jdk.StringFlagChanged");

  private final Workers workers;
  private final AtomicBoolean running = new AtomicBoolean();

  FlightRecording(Workers workers) {
    this.workers = workers;
  }

  @Override
  public void handle(ApiRequest request, Consumer<HttpReply> reply) throws HttpError {
    long seconds = seconds(request.params());
    if (!running.compareAndSet(false, true)) {
      reply.accept(HttpReply.plainText(500, "Could not enable CPU profiling: already in use\n"));
      return;
    }
    Consumer<HttpReply> last =
        answer -> {
          running.set(false);
          reply.accept(answer);
        };
    try {
      workers.runLater(request, () -> record(request, seconds, last), last);
    } catch (HttpError e) {
      running.set(false);
      throw e;
    }
  }

  private static long seconds(QueryParams params) {
    String seconds = params.getOrEmpty("seconds");
    boolean number = seconds.matches("[0-9]{1,9}") && Long.parseLong(seconds) > 0;
    return number ? Math.min(Long.parseLong(seconds), MAX_SECONDS) : DEFAULT_SECONDS;
  }

  private void record(ApiRequest request, long seconds, Consumer<HttpReply> reply)
      throws IOException, ParseException {
    Recording recording = new Recording(Configuration.getConfiguration("profile"));
    recording.setMaxSize(MAX_FILE_BYTES);
    recording.setMaxAge(Duration.ofSeconds(MAX_SECONDS));
    SECRETS.forEach(recording::disable);
    recording.start();
    CompletableFuture.delayedExecutor(seconds, TimeUnit.SECONDS, Runnable::run)
        .execute(
            () -> {
              try {
                workers.run(request, () -> finish(recording), reply);
              } catch (HttpError e) {
                recording.close();
                reply.accept(HttpReply.error(e));
              }
            });
  }

  private static boolean hasSecrets(Path file) throws IOException {
    try (RecordingFile events = new RecordingFile(file)) {
      while (events.hasMoreEvents()) {
        if (SECRETS.contains(events.readEvent().getEventType().getName())) {
          return true;
        }
      }
    }
    return false;
  }

  private static HttpReply finish(Recording recording) throws IOException {
    Path file = Files.createTempFile("holdfast-profile", ".jfr");
    try (recording) {
      recording.stop();
      recording.dump(file);
      if (hasSecrets(file)) {
        return HttpReply.plainText(500, "Could not enable CPU profiling: already in use\n");
      }
      return HttpReply.bytes("application/octet-stream", Files.readAllBytes(file))
          .with("Content-Disposition", "attachment; filename=\"profile.jfr\"");
    } finally {
      Files.deleteIfExists(file);
    }
  }
}
