/**
 * nsqd's HTTP API (contract §5) on Netty.
 *
 * <p>{@link io.holdfast.broker.http.HttpServer} listens. Per connection an {@link
 * io.holdfast.broker.http.HttpConnectionHandler} has a request at a time read by a {@link
 * io.holdfast.broker.http.RequestReader}, which asks the {@link io.holdfast.broker.http.Router} for
 * its route, and answered by a {@link io.holdfast.broker.http.Responder}, in order. {@link
 * io.holdfast.broker.http.HttpApi} lists the routes. Handlers run on the connection's event loop;
 * what blocks they hand to the broker's workers.
 */
package io.holdfast.broker.http;
