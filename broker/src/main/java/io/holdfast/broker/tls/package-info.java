/**
 * TLS for the TCP upgrade and the HTTPS listener (contract §2, §5, §8): PEM files to Netty contexts
 * ({@link io.holdfast.broker.tls.TlsContexts}), which follow a changed certificate file, and what
 * /stats says of a TLS connection ({@link io.holdfast.broker.tls.TlsSessionInfo}).
 */
package io.holdfast.broker.tls;
