# The operator as one static program in an empty image.
#
#   docker build --tag registry.example.com/astra-operator:0.1.0 .
#
# Buildah and podman build it, too. It is built for the platform that it is built on.

# Any image with a Rust whose own target is musl, such as a mirror's copy of this one.
ARG BUILDER=rust:1.95-alpine

FROM ${BUILDER} AS build
# Alpine keeps no old versions that could be pinned.
# hadolint ignore=DL3018
RUN apk add --no-cache ca-certificates make musl-dev
WORKDIR /source
COPY . .
# The list of dependencies goes into the program (cargo-auditable), where scanners look for it. Paths of this stage do not,
# so that the same sources give the same program.
ARG CARGO_AUDITABLE=0.7.7
ENV CARGO_INCREMENTAL=0
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo install --locked --version "${CARGO_AUDITABLE}" --root /tools cargo-auditable \
    && export PATH="/tools/bin:${PATH}" \
    && export RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=/source= --remap-path-prefix=/usr/local/cargo=" \
    # Some kernels of arm64 have pages of 64 KiB, and the allocator takes those of the machine that it is built on.
    && if [ "$(uname -m)" = aarch64 ]; then export JEMALLOC_SYS_WITH_LG_PAGE=16; fi \
    && cargo auditable build --locked --release --package astra-operator --bin astra-operator \
    && install -D -m 0755 target/release/astra-operator /out/astra-operator

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/astra-operator /astra-operator
# A number, so that the kubelet can see that it is not root.
USER 65532:65532
EXPOSE 8081
ENTRYPOINT ["/astra-operator"]
CMD ["run"]
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="astra-operator" \
      org.opencontainers.image.description="Keeps the network side of DataStax Astra DB as Kubernetes resources say" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
