import app.core.engine
import app.util.numbers as numbers
from app.util import text


def main():
    app.core.engine.build()
    numbers.double(1)
    from app.core.parts import fasten as fix

    fix(app.core.parts.Wheel(3))
    return text.label("x")


if __name__ == "__main__":
    main()
