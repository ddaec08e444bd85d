"""What a browser may do on the page: run our scripts, show our pictures, ask our API. Nothing else, nothing inline.

Plotly wants two inline styles: an empty style element, which it fills rule by rule, and one attribute on a test image.
They are let in by their hashes. Its WebGL traces compile code from strings, which no policy worth having allows: the
map has a drawing of its own (docs/decisions/0012).
"""

EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
PLOTLYS_TEST_IMAGE = "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='"

CONTENT = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' 'unsafe-hashes' {EMPTY_STYLE} {PLOTLYS_TEST_IMAGE}",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": CONTENT,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
