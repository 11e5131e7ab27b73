package plugins

func init() { register() }

func register() {}
